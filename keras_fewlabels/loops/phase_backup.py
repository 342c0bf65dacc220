"""An unfinished phase on disk."""

import time

import keras

from keras_fewlabels.callbacks.epoch_backup import EpochBackup


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
