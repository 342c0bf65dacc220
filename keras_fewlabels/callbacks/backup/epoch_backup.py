"""The state of a fit after an epoch, on disk."""

import contextlib
import json
import pathlib
import warnings

import numpy as np
from keras import ops

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.foundation import fingerprint, remove_unfinished

_PREFIX = "fit_backup_"


class EpochBackup:
    """Stores weights, optimizer and facts of a fit after each epoch.

    `keras.callbacks.BackupAndRestore` writes the weights and then the number
    of their epoch. A fit that is killed in between resumes with weights that
    are one epoch ahead. Here both are in one file, which is whole or not
    there. Older files are removed last. (The file is not HDF5: on a full
    disk, that library may end the process.)

    Args:
        folder: Path. The first backup creates it.
        num_kept: Int, how many epochs stay on disk. An older one is used
            where the file of the newest is damaged.
    """

    def __init__(self, folder, num_kept=1):
        self.folder = pathlib.Path(folder)
        self.num_kept = num_kept
        self._store = ArrayStore(folder)

    def write(self, model, epoch, facts):
        """Stores a model, its optimizer and facts.

        Args:
            model: Built and compiled Keras model.
            epoch: Int, the epoch with which the fit would go on.
            facts: Object that `json` can write, for `restore()` to return.
        """
        arrays = {
            f"variable_{number}": _storable(variable)
            for number, variable in enumerate(_variables(model))
        }
        arrays["of"] = np.array(_kind(model))
        arrays["facts"] = np.array(json.dumps(facts))
        name = f"{_PREFIX}{epoch:06d}"
        self._store.write(name, _PREFIX, arrays)
        # Later epochs as well, which a fit with damaged files has left.
        names = self._names()
        # Another process may have removed this one by now.
        kept = [other for other in names if other <= name][-self.num_kept :]
        self._store.remove(other for other in names if other not in kept)

    def restore(self, model, check=None):
        """Gives a model and its optimizer the newest intact state.

        A warning names each damaged file. Unfinished files of a process that
        was killed are removed.

        Args:
            model: Built and compiled Keras model.
            check: Optional function of the facts that raises an error if the
                backup must not be used. The model is as it was then.

        Returns:
            Pair of the epoch to go on with and the facts, or `None` if there
            is no intact backup.

        Raises:
            ValueError: If the backup belongs to a model or optimizer with
                other variables, or has another layout.
        """
        remove_unfinished(self.folder)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        for name in reversed(self._names()):
            arrays = self._store.read(name, _PREFIX)
            if arrays is None:
                continue
            facts, values = self._contents(name, arrays, model)
            if check is not None:
                check(facts)
            for variable, value in zip(_variables(model), values, strict=True):
                variable.assign(value)
            return int(name.removeprefix(_PREFIX)), facts
        return None

    def remove(self):
        """Removes all backups, and the folder if nothing else is in it.

        A warning says so if the file system refuses that, because the next
        fit would then go on from the backup.
        """
        remove_unfinished(self.folder)
        try:
            self._store.remove(self._names())
        except OSError as error:
            warnings.warn(
                "The backup of a fit that has ended cannot be removed, so the "
                "next fit in this folder would go on from it. Remove it. "
                f"Received: {str(self.folder)!r} ({error})",
                stacklevel=3,
            )
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _names(self):
        return self._store.names(_PREFIX)

    def _contents(self, name, arrays, model):
        """Returns the facts of a backup and the values of the variables."""
        variables = _variables(model)
        try:
            if str(arrays["of"]) == _kind(model):
                values = [
                    _restored(arrays[f"variable_{number}"], variable)
                    for number, variable in enumerate(variables)
                ]
                return json.loads(str(arrays["facts"])), values
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                "A file has another layout than a backup. Remove it. Received: "
                f"{str(self.folder / name)!r}.npz ({error!r})"
            ) from None
        raise ValueError(
            "The backup belongs to another model or optimizer. Give this fit a "
            "folder of its own, or remove the backup. "
            f"Received: {str(self.folder)!r}"
        )


def plain_logs(logs):
    """Returns logs as JSON takes them, where arrays become lists.

    Args:
        logs: Dict of what metrics and callbacks put into the logs, or `None`.
    """
    return {str(name): _plain(value) for name, value in (logs or {}).items()}


def _plain(value):
    if value is None or isinstance(value, str | bool | int | float):
        return value
    try:
        return ops.convert_to_numpy(value).tolist()
    except (TypeError, ValueError, RuntimeError):
        # Such as an object of the user's own.
        return str(value)


def _variables(model):
    return [*model.weights, *model.optimizer.variables]


def _kind(model):
    """Returns a string that differs where weights or optimizer state do."""
    return fingerprint(
        type(model.optimizer).__name__,
        [f"{v.dtype}{tuple(v.shape)}" for v in _variables(model)],
    )


def _storable(variable):
    # Copied: on torch, an array would go on changing with its variable.
    value = np.array(ops.convert_to_numpy(variable))
    # NumPy's files have no bfloat16.
    is_known = value.dtype.kind != "V"
    return value if is_known else value.view(f"uint{8 * value.itemsize}")


def _restored(value, variable):
    own = ops.convert_to_numpy(variable)
    if own.dtype.kind == "V":
        value = value.view(own.dtype)
    if (value.shape, value.dtype) != (own.shape, own.dtype):
        raise ValueError(f"{variable.path} of shape {value.shape}")
    return value
