"""An unfinished phase on disk."""

import json
import os
import pathlib
import shutil
import time

import keras


class PhaseBackup(keras.callbacks.Callback):
    """Backs up a fit after each epoch, so that it can go on from there.

    `keras.callbacks.BackupAndRestore` writes the weights and then the number
    of their epoch; a fit killed in between resumes with weights that are one
    epoch ahead. Here the number is in the name of the file, which appears all
    at once.

    Args:
        folder: Path, made if it is not there; `None` for no backup.

    Attributes:
        history: Dict of epochs to their logs, those before a crash too.
        seconds: Dict of epochs to how long they took.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = None if folder is None else pathlib.Path(folder)
        self.history = {}
        self.seconds = {}

    def resume(self, model):
        """Gives a model and its optimizer the newest weights there are.

        Args:
            model: Built and compiled Keras model.

        Returns:
            Int, the epoch to go on with, or `None` if nothing is backed up.
        """
        if self.folder is None:
            return None
        files = sorted(self.folder.glob("epoch_*.weights.h5"))
        if not files:
            return None
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        model.load_weights(files[-1])
        epoch = int(files[-1].name.split(".")[0].removeprefix("epoch_"))
        known = json.loads((self.folder / "history.json").read_text())
        for name, table in known.items():
            # It is written first, so it may be an epoch ahead.
            before = {
                int(n): value for n, value in table.items() if int(n) < epoch
            }
            setattr(self, name, before)
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
        unfinished = self.folder / "unfinished.json"
        unfinished.write_text(
            json.dumps({"history": self.history, "seconds": self.seconds})
        )
        os.replace(unfinished, self.folder / "history.json")
        unfinished = self.folder / "unfinished.weights.h5"
        self.model.save_weights(unfinished, overwrite=True)
        newest = self.folder / f"epoch_{epoch + 1:06d}.weights.h5"
        os.replace(unfinished, newest)
        for file in self.folder.glob("epoch_*.weights.h5"):
            if file != newest:
                file.unlink()

    def remove(self):
        """Removes the backup of a phase that is finished."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
