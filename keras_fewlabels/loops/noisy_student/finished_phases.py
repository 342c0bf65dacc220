"""Phases that need not be run again."""

import json
import os
import time

import keras
import numpy as np

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.callbacks.backup.epoch_backup import EpochBackup
from keras_fewlabels.foundation.atomic_write import writable_folder
from keras_fewlabels.foundation.fingerprint import fingerprint
from keras_fewlabels.loops.read_json import read_json
from keras_fewlabels.models.copy_weights import copy_weights

_REMEDY = (
    "so that nobody knows which run its folder holds the backup of. Give this "
    "run a folder of its own, or remove the backup. Received: "
)


class FinishedPhases:
    """Runs phases, and remembers on disk what came of those that ended.

    Args:
        folder: Path of the backups, or `None` for none.
        run: Whatever makes this run this run and no other: settings, arrays
            and numbers, as for `fingerprint`.

    Raises:
        ValueError: If the folder holds the backup of another run.
        OSError: If the folder takes no new files.
    """

    def __init__(self, folder, run):
        self.folder = None
        self._fingerprint = fingerprint(*run)
        if folder is None:
            return
        self.folder = writable_folder(folder, "backup_dir")
        self._store = ArrayStore(self.folder)
        self._check_same_run()

    def run(self, name, student, train):
        """Trains a student, unless that was done before.

        Args:
            name: String, the name of the phase.
            student: Built Keras model, which gets the weights.
            train: Function of a `PhaseBackup` that returns the trained model
                and a dict of details.

        Returns:
            Dict of details.
        """
        details = self._read(name, student)
        if details is not None:
            return details
        folder = None if self.folder is None else self.folder / name
        backup = PhaseBackup(folder)
        trained, details = train(backup)
        copy_weights(trained, student)
        self._write(name, student, details)
        backup.remove()
        return details

    def _check_same_run(self):
        file = self.folder / "run.json"
        if not file.exists():
            unfinished = self.folder / "run.unfinished.json"
            unfinished.write_text(json.dumps(self._fingerprint))
            os.replace(unfinished, file)
        elif read_json(file, _REMEDY + repr(str(self.folder))) != (
            self._fingerprint
        ):
            raise ValueError(
                "`backup_dir` holds the backup of a run with other data, "
                "settings, model or seed. Give this run a folder of its own, "
                f"or remove the backup. Received: {str(self.folder)!r}"
            )

    def _read(self, name, student):
        if self.folder is None:
            return None
        arrays = self._store.read(name, self._fingerprint)
        if arrays is None:
            return None
        details = json.loads(str(arrays.pop("details")))
        student.set_weights([arrays[str(n)] for n in range(len(arrays))])
        return details

    def _write(self, name, student, details):
        if self.folder is None:
            return
        weights = {
            str(number): np.asarray(weight)
            for number, weight in enumerate(student.get_weights())
        }
        details = np.array(json.dumps(details))
        self._store.write(
            name, self._fingerprint, {**weights, "details": details}
        )


class PhaseBackup(keras.callbacks.Callback):
    """Backs up a phase after each epoch, so that it can go on from there.

    Args:
        folder: Path, made if it is not there; `None` for no backup.

    Attributes:
        folder: The path, or `None`.
        history: Dict of epochs to their logs, those before a crash too.
        seconds: Dict of epochs to how long they took.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self._backup = None if folder is None else EpochBackup(folder)
        self.history = {}
        self.seconds = {}

    def resume(self, model):
        """Gives a model and its optimizer the newest weights there are.

        Args:
            model: Built and compiled Keras model.

        Returns:
            Int, the epoch to go on with, or `None` if nothing is backed up,
            or the backup is damaged.
        """
        restored = None if self._backup is None else self._backup.restore(model)
        if restored is None:
            return None
        epoch, facts = restored
        self.history = dict(facts["history"])
        self.seconds = dict(facts["seconds"])
        return epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds[epoch] = time.perf_counter() - self._started
        self.history[epoch] = {
            name: float(value) for name, value in (logs or {}).items()
        }
        if self._backup is not None:
            facts = {
                "history": list(self.history.items()),
                "seconds": list(self.seconds.items()),
            }
            self._backup.write(self.model, epoch + 1, facts)

    def remove(self):
        """Removes the backup of a phase that is finished."""
        if self._backup is not None:
            self._backup.remove()
