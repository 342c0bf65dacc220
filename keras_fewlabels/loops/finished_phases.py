"""Phases that need not be run again."""

import json
import os

import numpy as np

from keras_fewlabels.callbacks.label_cache import LabelCache, fingerprint
from keras_fewlabels.loops.carry_weights import carry_weights
from keras_fewlabels.loops.phase_backup import PhaseBackup
from keras_fewlabels.loops.read_json import read_json

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
        ValueError: If the folder cannot be written to, or holds the backup of
            another run.
    """

    def __init__(self, folder, run):
        self.folder = None
        self._fingerprint = fingerprint(*run)
        if folder is None:
            return
        self._cache = LabelCache(folder, "backup_dir", "it is trained anew")
        self.folder = self._cache.folder
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
        carry_weights(trained, student)
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
        arrays = self._cache.read(name, self._fingerprint)
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
        self._cache.write(
            name, self._fingerprint, {**weights, "details": details}
        )
