"""The state of a fit after an epoch, on disk."""

import contextlib
import json
import pathlib
import warnings

import keras

from keras_fewlabels.foundation import (
    atomic_write,
    file_fingerprint,
    fingerprint,
    remove_unfinished,
    write_whole,
)


class EpochBackup:
    """Stores weights, optimizer and facts of a fit after each epoch.

    `keras.callbacks.BackupAndRestore` writes the weights and then the number
    of their epoch. A fit that is killed in between resumes with weights that
    are one epoch ahead. Here the number is part of the file names. The file
    of the facts, which holds a checksum of the weights, takes its place
    first, and the weights follow. Older files are removed last.

    Args:
        folder: Path. The first backup creates it.
        num_kept: Int, how many epochs stay on disk. An older one is used
            where a file of the newest is damaged.
    """

    def __init__(self, folder, num_kept=1):
        self.folder = pathlib.Path(folder)
        self.num_kept = num_kept

    def write(self, model, epoch, facts):
        """Stores a model, its optimizer and facts.

        Args:
            model: Built and compiled Keras model.
            epoch: Int, the epoch with which the fit would go on.
            facts: Object that `json` can write, for `restore()` to return.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch_{epoch:06d}"
        with atomic_write(self.folder / f"{name}.weights.h5") as weights:
            # A model may save less of itself by its own method.
            keras.saving.save_weights(model, weights.name, overwrite=True)
            content = json.dumps(
                {
                    "facts": facts,
                    "of": _kind(model),
                    "weights": file_fingerprint(weights.name),
                }
            )
            write_whole(
                self.folder / f"{name}.json",
                json.dumps(
                    {"content": content, "checksum": fingerprint(content)}
                ),
            )
        self._remove_others(name)

    def restore(self, model):
        """Gives a model and its optimizer the newest intact state.

        A warning names each damaged file. Unfinished files of a process that
        was killed are removed.

        Args:
            model: Built and compiled Keras model.

        Returns:
            Pair of the epoch to go on with and the facts, or `None` if there
            is no intact backup.

        Raises:
            ValueError: If the backup belongs to a model or optimizer with
                other variables.
        """
        remove_unfinished(self.folder)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        for name in reversed(self._names()):
            content = self._read(name)
            if content is None:
                continue
            if content["of"] != _kind(model):
                raise ValueError(
                    "The backup belongs to another model or optimizer. Give "
                    "this fit a folder of its own, or remove the backup. "
                    f"Received: {str(self.folder)!r}"
                )
            keras.saving.load_weights(model, self.folder / f"{name}.weights.h5")
            return int(name.removeprefix("epoch_")), content["facts"]
        return None

    def remove(self):
        """Removes all backups, and the folder if nothing else is in it."""
        remove_unfinished(self.folder)
        for file in self.folder.glob("epoch_*"):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _names(self):
        """Returns the names of the complete backups, the oldest first."""
        files = self.folder.glob("epoch_*.weights.h5")
        return sorted(file.name.split(".")[0] for file in files)

    def _read(self, name):
        """Returns the content of a backup, or `None` if it is damaged."""
        file = self.folder / f"{name}.json"
        try:
            stored = json.loads(file.read_text())
            if stored["checksum"] == fingerprint(stored["content"]):
                content = json.loads(stored["content"])
                file = self.folder / f"{name}.weights.h5"
                if content["weights"] == file_fingerprint(file):
                    return content
        except (OSError, ValueError, TypeError, KeyError):
            pass
        warnings.warn(
            f"{file} is damaged or missing. The epochs since the backup "
            "before it are trained again.",
            stacklevel=3,
        )
        return None

    def _remove_others(self, newest):
        # Later epochs as well, which a fit with damaged files has left.
        kept = [name for name in self._names() if name < newest]
        kept = [*kept[len(kept) + 1 - self.num_kept :], newest]
        for file in self.folder.glob("epoch_*"):
            if file.name.split(".")[0] not in kept:
                file.unlink()


def _kind(model):
    """Returns a list that differs where weights or optimizer state differ."""
    optimizer = model.optimizer
    variables = [*model.weights, *optimizer.variables]
    return [
        type(optimizer).__name__,
        *(f"{variable.dtype}{list(variable.shape)}" for variable in variables),
    ]
