import random

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.global_generators import (
    GlobalGenerators,
    seed_global_generators,
)


def draws():
    numbers = [random.random(), np.random.random()]  # noqa: NPY002
    if keras.backend.backend() == "torch":
        import torch

        numbers.append(float(torch.rand(())))
    return numbers


def test_restores_all_generators():
    draws()
    generators = GlobalGenerators()
    first = draws()
    seed_global_generators(5)
    draws()
    generators.restore()
    assert draws() == first
    # It can be repeated.
    generators.restore()
    assert draws() == first


@pytest.mark.parametrize("number", [0, 7, 2**32 - 1])
def test_a_seed_fixes_all_generators(number):
    seed_global_generators(number)
    first = draws()
    second = draws()
    seed_global_generators(number)
    assert draws() == first
    seed_global_generators(1)
    others = draws()
    for one, *different in zip(first, second, others, strict=True):
        assert one not in different
