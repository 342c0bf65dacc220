"""A fit on disk, as it was after an epoch."""

import hashlib
import json
import os
import pathlib
import shutil
import warnings

from keras_fewlabels.callbacks.backup.array_store import fingerprint


class EpochBackup:
    """Weights and optimizer after an epoch, and what is told of the fit.

    `keras.callbacks.BackupAndRestore` writes the weights and then the number
    of their epoch; a fit killed in between resumes with weights that are one
    epoch ahead. Here the number is in the names of the files, which appear
    all at once: first the facts, which hold a checksum of the weights, then
    the weights. Older files are removed when the new ones are there.

    Args:
        folder: Path, made when it is needed.
        num_kept: Int, how many epochs to keep on disk. The older ones are
            for a file that is damaged.
    """

    def __init__(self, folder, num_kept=1):
        self.folder = pathlib.Path(folder)
        self.num_kept = num_kept

    def write(self, model, epoch, facts):
        """Backs up a model.

        Args:
            model: Built Keras model.
            epoch: Int, the epoch that would be next.
            facts: What `json` can write, to be given back by `restore()`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch_{epoch:06d}"
        weights = self.folder / "unfinished.weights.h5"
        model.save_weights(weights, overwrite=True)
        with open(weights, "rb+") as file:
            os.fsync(file.fileno())
        content = json.dumps(
            {"facts": facts, "of": _kind(model), "weights": _checksum(weights)}
        )
        unfinished = self.folder / "unfinished.json"
        unfinished.write_text(
            json.dumps({"content": content, "checksum": fingerprint(content)})
        )
        os.replace(unfinished, self.folder / f"{name}.json")
        os.replace(weights, self.folder / f"{name}.weights.h5")
        self._remove_others(name)

    def restore(self, model):
        """Gives a model and its optimizer the newest state there is.

        A file that is damaged is named in a warning.

        Args:
            model: Built and compiled Keras model.

        Returns:
            Pair of the epoch to go on with and the facts, or `None` if
            nothing is backed up, or all of it is damaged.

        Raises:
            ValueError: If it is the backup of a model that is another.
        """
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        for name in reversed(self._names()):
            content = self._read(name)
            if content is None:
                continue
            if content["of"] != _kind(model):
                raise ValueError(
                    "The backup is one of another model or optimizer. Give "
                    "this fit a folder of its own, or remove the backup. "
                    f"Received: {str(self.folder)!r}"
                )
            model.load_weights(self.folder / f"{name}.weights.h5")
            return int(name.removeprefix("epoch_")), content["facts"]
        return None

    def remove(self):
        """Removes the folder, with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _names(self):
        """The backups that are complete, the oldest first."""
        files = self.folder.glob("epoch_*.weights.h5")
        return sorted(file.name.split(".")[0] for file in files)

    def _read(self, name):
        """The content of a backup, or `None` if a part of it is damaged."""
        file = self.folder / f"{name}.json"
        try:
            found = json.loads(file.read_text())
            if found["checksum"] == fingerprint(found["content"]):
                content = json.loads(found["content"])
                file = self.folder / f"{name}.weights.h5"
                if content["weights"] == _checksum(file):
                    return content
        except (OSError, ValueError, TypeError, KeyError):
            pass
        warnings.warn(
            f"{file} is damaged or missing; what was trained since is trained "
            "anew.",
            stacklevel=3,
        )
        return None

    def _remove_others(self, newest):
        # Also those of later epochs, which a damaged fit has left.
        kept = [name for name in self._names() if name < newest]
        kept = [*kept[len(kept) + 1 - self.num_kept :], newest]
        for file in self.folder.glob("epoch_*"):
            if file.name.split(".")[0] not in kept:
                file.unlink()


def _kind(model):
    """What says whether weights and optimizer state belong to a model."""
    optimizer = model.optimizer
    variables = [*model.weights, *optimizer.variables]
    return [
        type(optimizer).__name__,
        *(f"{variable.dtype}{list(variable.shape)}" for variable in variables),
    ]


def _checksum(file):
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
