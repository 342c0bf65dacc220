"""The generators that are not of a layer."""

import random

import keras
import numpy as np


class GlobalGenerators:
    """The states of Python's, NumPy's and torch's own generators.

    With them `fit()` shuffles arrays and `PyDataset`s, except arrays on
    TensorFlow, and on torch layers without a seed draw from them.

    Example:

    >>> from keras_fewlabels.callbacks.backup.global_generators import (
    ...     GlobalGenerators,
    ... )
    >>> before = GlobalGenerators()
    >>> first = np.random.random()
    >>> before.restore()
    >>> np.random.random() == first
    True
    """

    def __init__(self):
        self._python = random.getstate()
        self._numpy = np.random.get_state()  # noqa: NPY002
        if keras.backend.backend() == "torch":
            import torch

            self._torch = torch.get_rng_state()
            self._cuda = torch.cuda.get_rng_state_all()

    def restore(self):
        """Gives all generators the states they had."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)  # noqa: NPY002
        if keras.backend.backend() == "torch":
            import torch

            torch.set_rng_state(self._torch)
            torch.cuda.set_rng_state_all(self._cuda)


def seed_global_generators(number):
    """Starts all of them from a number below `2 ** 32`."""
    # Not `keras.utils.set_random_seed`, which imports TensorFlow.
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002
    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(number)
