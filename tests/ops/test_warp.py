import numpy as np
import pytest
from keras import ops

from keras_fewlabels.ops.matrix import (
    identity_matrix,
    rotate_matrix,
    shear_matrix,
    translate_matrix,
)
from keras_fewlabels.ops.warp import warp

IMAGE = np.arange(9, dtype="uint8").reshape(1, 3, 3, 1)
ONE, ZERO = np.ones(1), np.zeros(1)
EXPECTED = {
    "identity": (identity_matrix(), [[0, 1, 2], [3, 4, 5], [6, 7, 8]]),
    "left": (translate_matrix(ONE, ZERO), [[1, 2, 9], [4, 5, 9], [7, 8, 9]]),
    "up": (translate_matrix(ZERO, ONE), [[3, 4, 5], [6, 7, 8], [9, 9, 9]]),
    "quarter turn": (
        rotate_matrix(90 * ONE, 3, 3),
        [[2, 5, 8], [1, 4, 7], [0, 3, 6]],
    ),
    "half turn": (
        rotate_matrix(180 * ONE, 3, 3),
        [[8, 7, 6], [5, 4, 3], [2, 1, 0]],
    ),
    # Rows start at 0.5, 1.5 and 2.5 pixels: halves belong to the right.
    "shear": (shear_matrix(ONE, ZERO), [[1, 2, 9], [5, 9, 9], [9, 9, 9]]),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_nearest(name):
    matrix, expected = EXPECTED[name]
    output = warp(IMAGE, matrix, fill=9, interpolation="nearest")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(output)[0, ..., 0], expected
    )


def test_bilinear_weighs_neighbours():
    quarter = translate_matrix(0.25 * ONE, ZERO)
    output = warp(20 * IMAGE, quarter, fill=9)
    # The last column still lies on the border pixel, which is repeated.
    expected = [[5, 25, 40], [65, 85, 100], [125, 145, 160]]
    np.testing.assert_array_equal(
        ops.convert_to_numpy(output)[0, ..., 0], expected
    )


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_each_image_has_its_own_matrix(interpolation):
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 7, 3), "uint8")
    matrix = rotate_matrix(np.linspace(-180, 180, 5), 8, 7)
    together = warp(images, matrix, interpolation=interpolation)
    matrix = ops.convert_to_numpy(matrix)
    for n in range(5):
        alone = warp(
            images[n : n + 1], matrix[n : n + 1], interpolation=interpolation
        )
        np.testing.assert_array_equal(
            ops.convert_to_numpy(together)[n], ops.convert_to_numpy(alone)[0]
        )
