"""The random generators that do not belong to a layer."""

import random

import keras
import numpy as np


class GlobalGenerators:
    """Stores the states of the generators of Python, NumPy and torch.

    `fit()` shuffles arrays and `PyDataset`s with these generators, except
    arrays on TensorFlow. On torch, layers without a seed draw from them.

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
        """Gives all generators the stored states."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)  # noqa: NPY002
        if keras.backend.backend() == "torch":
            import torch

            torch.set_rng_state(self._torch)
            torch.cuda.set_rng_state_all(self._cuda)


def seed_global_generators(seed):
    """Seeds all of these generators with an int below `2 ** 32`."""
    # Not `keras.utils.set_random_seed`, which imports TensorFlow.
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(seed)
