"""The data and settings that decide how a fit goes on."""

import weakref

import keras
import numpy as np
from keras import ops

from keras_fewlabels.callbacks.backup.global_generators import GlobalGenerators
from keras_fewlabels.foundation import (
    essential_config,
    fingerprint,
    fit_arguments,
    when_fit_ends,
)

# The optimizers of fits that an error has stopped: their settings at the end,
# after callbacks have changed the learning rate, and at the start.
_STOPPED = weakref.WeakKeyDictionary()


class FitSettings:
    """Fingerprints of the data and settings of a fit, to tell fits apart.

    Attributes:
        values: Dict of strings to fingerprints.
    """

    def __init__(self):
        self.values = {}
        self._optimizer = None

    def begin(self, model, steps):
        """Looks at the fit that begins.

        Args:
            model: Compiled Keras model.
            steps: Int, the batches of an epoch, or `None` if unknown.
        """
        self.values = {
            "model": _config_of(model),
            "loss": _config_of(model.loss),
            "optimizer or learning rate": self._begin_optimizer(model),
            "number of batches": fingerprint(steps),
        }
        arguments = fit_arguments()
        if not arguments:
            return
        # Reading the data must not change the random numbers of the fit.
        generators = GlobalGenerators()
        data = [arguments.get(name) for name in ("x", "y", "sample_weight")]
        self.values["data"] = fingerprint([_content(part) for part in data])
        unlabeled = _unlabeled_of(arguments.get("callbacks"))
        if unlabeled:
            self.values["unlabelled images"] = fingerprint(unlabeled)
        generators.restore()
        for name in (
            "batch_size",
            "class_weight",
            "shuffle",
            "validation_split",
        ):
            self.values[name] = fingerprint(arguments.get(name))

    def _begin_optimizer(self, model):
        optimizer = self._optimizer = model.optimizer
        settings = _config_of(optimizer)
        at_end, at_start = _STOPPED.pop(optimizer, (None, None))
        if settings == at_end:
            # The same cell again.
            settings = at_start
        when_fit_ends(self._remember)
        return settings

    def _remember(self):
        if self._optimizer is not None:
            _STOPPED[self._optimizer] = (
                _config_of(self._optimizer),
                self.values["optimizer or learning rate"],
            )

    def end(self):
        """Forgets a fit that has ended well."""
        self._optimizer = None

    def different(self, others):
        """Returns the names of the settings that differ, in words.

        Args:
            others: Dict, the `values` of the other fit.
        """
        return ", ".join(
            name
            for name, value in self.values.items()
            if name in others and others[name] != value
        )


def _unlabeled_of(callbacks):
    """Returns the checksums of the images that callbacks label."""
    callbacks = getattr(callbacks, "callbacks", callbacks)
    return [
        callback.unlabeled_checksum()
        for callback in keras.tree.flatten(callbacks or [])
        if hasattr(callback, "unlabeled_checksum")
    ]


def _config_of(part):
    try:
        if isinstance(part, list | tuple | dict):
            return fingerprint(keras.tree.map_structure(_config_of, part))
        return fingerprint(essential_config(part))
    except Exception:
        # A model or loss of the user's own need not have a config.
        return type(part).__name__


def _content(data):
    """Returns arrays as they are, and of datasets what the first batch has."""
    if data is None or isinstance(data, list | tuple | dict):
        return keras.tree.map_structure(_array, data)
    if hasattr(data, "content_sample"):
        return _first_batch(data.content_sample)
    if isinstance(data, keras.utils.PyDataset):
        return _first_batch(lambda: _of_first_epoch(data)[0])
    if hasattr(data, "__array__") or ops.is_tensor(data):
        return _array(data)
    if hasattr(data, "__iter__") and not hasattr(data, "__next__"):
        return _first_batch(lambda: next(iter(_of_first_epoch(data))))
    # What can be read only once, such as a generator.
    return type(data).__name__


def _of_first_epoch(data):
    """Returns a dataset, set to the order of the first epoch if it has one."""
    if hasattr(data, "begin_epoch"):
        data.begin_epoch(0)
    return data


def _first_batch(read):
    first, again = (keras.tree.map_structure(_array, read()) for _ in range(2))
    if fingerprint(first) == fingerprint(again):
        return first
    # It is shuffled or augmented by itself.
    return keras.tree.map_structure(
        lambda part: f"{part.dtype}{part.shape}", first
    )


def _array(value):
    try:
        return np.asarray(ops.convert_to_numpy(value))
    except (TypeError, ValueError, RuntimeError):
        return np.array(type(value).__name__)
