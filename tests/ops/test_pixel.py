import numpy as np
import pytest
from keras import ops

from keras_fewlabels.ops.pixel import (
    brightness,
    cutout,
    invert,
    posterize,
    solarize,
    solarize_add,
)

LEVELS = np.array([0, 1, 100, 127, 128, 200, 255], "uint8")
EXPECTED = {
    "black": (brightness, 0.0, [0, 0, 0, 0, 0, 0, 0]),
    "darker": (brightness, 0.1, [0, 0, 10, 12, 12, 20, 25]),
    "brighter": (brightness, 1.9, [0, 1, 190, 241, 243, 255, 255]),
    "8 bits": (posterize, 8, LEVELS),
    "4 bits": (posterize, 4, [0, 0, 96, 112, 128, 192, 240]),
    "1 bit": (posterize, 1, [0, 0, 0, 0, 128, 128, 128]),
    "no bit": (posterize, 0, [0, 0, 0, 0, 0, 0, 0]),
    "solarize nothing": (solarize, 256, LEVELS),
    "solarize 128": (solarize, 128, [0, 1, 100, 127, 127, 55, 0]),
    "solarize all": (solarize, 0, [255, 254, 155, 128, 127, 55, 0]),
    "add 0": (solarize_add, 0, LEVELS),
    "add 110": (solarize_add, 110, [110, 111, 210, 237, 128, 200, 255]),
    "add 200": (solarize_add, 200, [200, 201, 255, 255, 128, 200, 255]),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_levels(name):
    op, strength, expected = EXPECTED[name]
    # The second image must not see the strength of the first.
    images = np.stack([LEVELS, LEVELS]).reshape(2, 1, -1, 1)
    neutral = {brightness: 1, posterize: 8, solarize: 256, solarize_add: 0}
    output = op(images, np.array([strength, neutral[op]]))
    output = ops.convert_to_numpy(output)[:, 0, :, 0]
    np.testing.assert_array_equal(output, [expected, LEVELS])


def test_invert():
    output = ops.convert_to_numpy(invert(LEVELS))
    np.testing.assert_array_equal(output, [255, 254, 155, 128, 127, 55, 0])


def test_cutout_covers_its_square_and_is_cut_at_the_border():
    images = np.ones((3, 6, 4, 1), "uint8")
    side, center = [0.5, 1.0, 0.0], [[0.5, 0.5], [0.0, 0.0], [0.5, 0.5]]
    output = cutout(images, np.array(side), np.array(center), fill=0)
    covered = ops.convert_to_numpy(output)[..., 0] == 0
    rows, columns = covered.any(axis=2), covered.any(axis=1)
    np.testing.assert_array_equal(rows[0], [0, 0, 1, 1, 0, 0])
    np.testing.assert_array_equal(columns[0], [0, 1, 1, 0])
    np.testing.assert_array_equal(rows[1], [1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(columns[1], [1, 1, 0, 0])
    assert not covered[2].any()
