import sys

import numpy as np
import pytest

from keras_fewlabels.evaluation import corrupt
from keras_fewlabels.evaluation.corruptions.change_batch import change_batch


def steeper(levels, version, generators):
    assert levels.dtype == np.float32
    return levels * 1.5 - 0.1


def test_cuts_off_and_rounds():
    images = np.array([0, 51, 255], "uint8").reshape(1, 3, 1, 1)
    found = change_batch(images, 0, 1, steeper, (0, 255), 0)
    assert found.dtype == np.uint8
    assert found.ravel().tolist() == [0, round(51 * 1.5 - 25.5), 255]
    floats = np.array([-1, -0.6, 1]).reshape(1, 3, 1, 1)
    found = change_batch(floats, 0, 1, steeper, (-1, 1), 0)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.ravel(), [-1, -1 + 2 * 51 / 255, 1])


def test_draws_follow_from_seed_version_and_number():
    images = np.zeros((3, 1, 1, 1), "float32")

    def draws(images, first, version, seed):
        return change_batch(
            images,
            first,
            version,
            lambda levels, version, generators: np.stack(
                [each.random((1, 1, 1)) for each in generators]
            ),
            (0, 1),
            seed,
        ).ravel()

    found = draws(images, 4, 2, 7)
    np.testing.assert_array_equal(draws(images[1:2], 5, 2, 7), found[1:2])
    assert len({*found, *draws(images, 4, 3, 7), *draws(images, 4, 2, 8)}) == 9


@pytest.mark.parametrize("package", ["scipy", "PIL"])
def test_without_a_package(package, monkeypatch):
    for name in list(sys.modules):
        if name.startswith("keras_fewlabels.evaluation.corruptions.kernels"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ImportError, match=r'pip install "keras-fewlabels\[evaluation\]"'
    ):
        corrupt(np.zeros((1, 32, 32, 3), "uint8"), "fog")
