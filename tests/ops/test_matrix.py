"""Maps against Pillow's convention, point by point."""

import numpy as np
import pytest
from keras import ops

from keras_fewlabels.ops.matrix import (
    identity_matrix,
    rotate_matrix,
    shear_matrix,
    translate_matrix,
)


def source(matrix, x, y):
    """Where the pixel at (x, y) of the result comes from."""
    a, b, c, d, e, f = np.moveaxis(ops.convert_to_numpy(matrix), -1, 0)
    return np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)


def test_identity():
    np.testing.assert_array_equal(source(identity_matrix(), 3, 7), [[3, 7]])


def test_rotation_keeps_the_centre_and_turns_counter_clockwise():
    matrix = rotate_matrix(np.array([90.0, -90.0, 30.0]), 10, 20)
    np.testing.assert_allclose(source(matrix, 10, 5), 3 * [[10, 5]], atol=1e-5)
    # Turned by 90 degrees, what was right of the centre is above it.
    np.testing.assert_allclose(
        source(matrix, 10, 2)[:2], [[13, 5], [7, 5]], atol=1e-5
    )
    turned = source(matrix, 14, 5)[2] - [10, 5]
    assert np.hypot(*turned) == pytest.approx(4, rel=1e-5)


def test_shear_and_translation():
    sheared = shear_matrix(np.array([0.3]), np.array([-0.1]))
    np.testing.assert_allclose(
        source(sheared, 2, 5), [[2 + 0.3 * 5, 5 - 0.1 * 2]], rtol=1e-6
    )
    moved = translate_matrix(np.array([4.0]), np.array([-3.0]))
    np.testing.assert_allclose(source(moved, 2, 5), [[6, 2]], rtol=1e-6)
