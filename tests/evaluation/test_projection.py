import numpy as np
import pytest
from scipy import ndimage

from keras_fewlabels.evaluation.projection import projected

IMAGES = np.random.default_rng(0).random((2, 9, 12, 3)).astype("float32")
MATRICES = {
    "shift": [[1, 0, 2.25], [0, 1, -1], [0, 0, 1]],
    "turn": [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]],
    "perspective": [[1, 0.1, 0], [0, 0.9, 0], [0.02, 0.01, 1.1]],
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_reads_where_the_inverse_leads(matrix):
    inverse = np.linalg.inv(matrix)
    expected = np.empty(IMAGES.shape)
    padded = np.pad(IMAGES, ((0, 0), (30, 30), (30, 30), (0, 0)))
    for row, column in np.ndindex(9, 12):
        x, y, scale = inverse @ [column - 5.5, row - 4, 1]
        place = [[y / scale + 4 + 30], [x / scale + 5.5 + 30]]
        for number, channel in np.ndindex(2, 3):
            expected[number, row, column, channel] = ndimage.map_coordinates(
                padded[number, ..., channel], place, order=1
            )[0]
    np.testing.assert_allclose(projected(IMAGES, matrix), expected, atol=1e-5)


def test_shift_by_whole_pixels_is_exact_and_black_beyond():
    found = projected(IMAGES, [[1, 0, 3], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(found[:, :, 3:], IMAGES[:, :, :-3])
    np.testing.assert_array_equal(found[:, :, :3], 0)


def test_mean_of_several():
    pair = [MATRICES["shift"], MATRICES["turn"]]
    np.testing.assert_allclose(
        projected(IMAGES, pair),
        (projected(IMAGES, pair[0]) + projected(IMAGES, pair[1])) / 2,
        atol=1e-6,
    )
