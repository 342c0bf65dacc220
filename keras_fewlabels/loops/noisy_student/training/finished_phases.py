"""Phases that need not be run again, and the backup of one that must."""

import json
import time

import keras
import numpy as np

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.callbacks.backup.epoch_backup import (
    EpochBackup,
    plain_logs,
)
from keras_fewlabels.data.sources import is_dataset
from keras_fewlabels.foundation import (
    essential_config,
    fingerprint,
    writable_folder,
    write_whole,
)
from keras_fewlabels.loops.noisy_student.training.student_head import (
    layers_fingerprint,
)
from keras_fewlabels.loops.read_json import read_json

_REMEDY = (
    "so that nobody knows which run its folder holds the backup of. Give this "
    "run a folder of its own, or remove the backup. Received: "
)


def run_identity(model, recipe, data):
    """Returns a string that changes with all that decides how a run ends.

    Args:
        model: Keras model, as the first phase gets it.
        recipe: `Recipe`.
        data: `PhaseData`.
    """
    unlabeled = recipe.task.unlabeled
    # A dataset would have to be read in full.
    is_stream = is_dataset(unlabeled.images)
    return fingerprint(
        [tuple(weight.shape) for weight in model.weights],
        # A new head, or a new model, may be another one in every process.
        layers_fingerprint(model) if recipe.settings.pretrained else None,
        [essential_config(layer) for layer in recipe.layers.values()],
        recipe.settings.to_dict(),
        [*data.labeled, *(data.validation or ())],
        recipe.task.sample if is_stream else unlabeled.checksum(),
        len(unlabeled),
        data.seed,
    )


class FinishedPhases:
    """Runs phases, and stores the results of those that ended.

    Args:
        folder: Path of the backups, or `None` for none.
        identity: Function that returns the `run_identity`. It is called only
            if there is a folder.

    Attributes:
        store: `ArrayStore` of the folder, or `None`.
        identity: String, the `run_identity`, or `None` without a folder.

    Raises:
        ValueError: If the folder holds the backup of another run.
        OSError: If the folder takes no new files.
    """

    def __init__(self, folder, identity):
        self.folder = self.store = self.identity = None
        if folder is None:
            return
        self.folder = writable_folder(folder, "backup_dir")
        self.identity = identity()
        self.store = ArrayStore(self.folder)
        self._check_same_run()

    def run(self, name, layers, train):
        """Trains the models of a phase, unless that was done before.

        Args:
            name: String, the name of the phase.
            layers: List of built Keras models and layers, whose weights the
                phase changes.
            train: Function of a `PhaseBackup` that changes them and returns
                a dict for JSON.

        Returns:
            That dict.
        """
        details = self._read(name, layers)
        if details is not None:
            return details
        folder = None if self.folder is None else self.folder / name
        backup = PhaseBackup(folder)
        details = train(backup)
        self._write(name, layers, details)
        backup.remove()
        return details

    def remember(self, name, decide):
        """Returns what was decided in the first of the runs of this folder.

        Args:
            name: String.
            decide: Function without arguments that returns what JSON can
                hold. It is called only if nothing is stored under the name.
        """
        if self.folder is None:
            return decide()
        file = self.folder / "decisions.json"
        decisions = {}
        if file.exists():
            decisions = read_json(file, _REMEDY + repr(str(self.folder)))
        if name not in decisions:
            decisions[name] = decide()
            write_whole(file, json.dumps(decisions))
        return decisions[name]

    def _check_same_run(self):
        file = self.folder / "run.json"
        if not file.exists():
            write_whole(file, json.dumps(self.identity))
        elif read_json(file, _REMEDY + repr(str(self.folder))) != (
            self.identity
        ):
            raise ValueError(
                "`backup_dir` holds the backup of a run with other data, "
                "settings, model or seed. Give this run a folder of its own, "
                f"or remove the backup. Received: {str(self.folder)!r}"
            )

    def _read(self, name, layers):
        if self.folder is None:
            return None
        arrays = self.store.read(name, self.identity)
        if arrays is None:
            return None
        details = json.loads(str(arrays.pop("details")))
        for number, layer in enumerate(layers):
            layer.set_weights(
                [
                    arrays[f"{number}.{place}"]
                    for place in range(len(layer.weights))
                ]
            )
        return details

    def _write(self, name, layers, details):
        if self.folder is None:
            return
        arrays = {
            f"{number}.{place}": np.asarray(weight)
            for number, layer in enumerate(layers)
            for place, weight in enumerate(layer.get_weights())
        }
        arrays["details"] = np.array(json.dumps(details))
        self.store.write(name, self.identity, arrays)


class PhaseBackup(keras.callbacks.Callback):
    """Backs up a phase after each epoch, so that it can go on from there.

    Args:
        folder: Path, made if it is not there; `None` for no backup.

    Attributes:
        folder: The path, or `None`.
        history: Dict of epochs to their logs, those before a crash too.
        seconds: Dict of epochs to how long they took.
        steps: Dict of epochs to how many steps they had.
        has_stopped: Boolean, whether a callback has ended the phase.
        out_of_time: Boolean, whether it was for want of time.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self._backup = None if folder is None else EpochBackup(folder)
        self.history = {}
        self.seconds = {}
        self.steps = {}
        self.has_stopped = self.out_of_time = False

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
        self.steps = dict(facts["steps"])
        self.has_stopped = facts["has_stopped"]
        self.out_of_time = facts["out_of_time"]
        return epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.perf_counter()
        self._num_steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self._num_steps = batch + 1

    def on_epoch_end(self, epoch, logs=None):
        self.seconds[epoch] = time.perf_counter() - self._started
        self.history[epoch] = plain_logs(logs)
        self.steps[epoch] = self._num_steps
        self.has_stopped = self.model.stop_training
        if self._backup is not None:
            facts = {
                "history": list(self.history.items()),
                "seconds": list(self.seconds.items()),
                "steps": list(self.steps.items()),
                "has_stopped": self.has_stopped,
                "out_of_time": self.out_of_time,
            }
            self._backup.write(self.model, epoch + 1, facts)

    def remove(self):
        """Removes the backup of a phase that is finished."""
        if self._backup is not None:
            self._backup.remove()
