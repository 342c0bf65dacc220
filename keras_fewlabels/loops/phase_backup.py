"""An unfinished phase on disk."""

import hashlib
import json
import os
import pathlib
import shutil
import time
import warnings

import keras

from keras_fewlabels.callbacks.label_cache import fingerprint


class PhaseBackup(keras.callbacks.Callback):
    """Backs up a fit after each epoch, so that it can go on from there.

    `keras.callbacks.BackupAndRestore` writes the weights and then the number
    of their epoch; a fit killed in between resumes with weights that are one
    epoch ahead. Here the number is in the name of the file, which appears all
    at once. A file that is damaged is named in a warning, and the phase begins
    anew.

    Args:
        folder: Path, made if it is not there; `None` for no backup.

    Attributes:
        history: Dict of epochs to their logs, those before a crash too.
        seconds: Dict of epochs to how long they took.
        checksums: Dict of epochs to those of the weights after them.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = None if folder is None else pathlib.Path(folder)
        self.history = {}
        self.seconds = {}
        self.checksums = {}

    def resume(self, model):
        """Gives a model and its optimizer the newest weights there are.

        Args:
            model: Built and compiled Keras model.

        Returns:
            Int, the epoch to go on with, or `None` if nothing is backed up,
            or the backup is damaged.
        """
        if self.folder is None:
            return None
        files = sorted(self.folder.glob("epoch_*.weights.h5"))
        if not files:
            return None
        epoch = int(files[-1].name.split(".")[0].removeprefix("epoch_"))
        history = self.folder / "history.json"
        tables = _read(history)
        if tables is None:
            return _begin_anew(history)
        # It is written first, so it may be an epoch ahead.
        tables = {name: _before(epoch, tables[name]) for name in tables}
        if tables["checksums"].get(epoch - 1) != _checksum(files[-1]):
            return _begin_anew(files[-1])
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        model.load_weights(files[-1])
        vars(self).update(tables)
        return epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds[epoch] = time.perf_counter() - self._started
        self.history[epoch] = {
            name: float(value) for name, value in (logs or {}).items()
        }
        if self.folder is not None:
            self._write(epoch)

    def _write(self, epoch):
        self.folder.mkdir(parents=True, exist_ok=True)
        weights = self.folder / "unfinished.weights.h5"
        self.model.save_weights(weights, overwrite=True)
        self.checksums[epoch] = _checksum(weights)
        names = ("history", "seconds", "checksums")
        tables = json.dumps({name: getattr(self, name) for name in names})
        unfinished = self.folder / "unfinished.json"
        unfinished.write_text(
            json.dumps({"tables": tables, "checksum": fingerprint(tables)})
        )
        os.replace(unfinished, self.folder / "history.json")
        newest = self.folder / f"epoch_{epoch + 1:06d}.weights.h5"
        os.replace(weights, newest)
        for file in self.folder.glob("epoch_*.weights.h5"):
            if file != newest:
                file.unlink()

    def remove(self):
        """Removes the backup of a phase that is finished."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _read(file):
    """The tables of a history, or `None` if they are damaged or missing."""
    try:
        found = json.loads(file.read_text())
        if found["checksum"] == fingerprint(found["tables"]):
            return json.loads(found["tables"])
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


def _before(epoch, table):
    return {int(n): value for n, value in table.items() if int(n) < epoch}


def _checksum(file):
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _begin_anew(file):
    warnings.warn(
        f"{file} is damaged or missing; the phase is trained anew.",
        stacklevel=3,
    )
