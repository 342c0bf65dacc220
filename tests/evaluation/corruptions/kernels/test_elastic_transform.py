import numpy as np
import pytest
from scipy import ndimage

from keras_fewlabels.evaluation.corruptions.kernels.elastic_transform import (
    elastic_transform,
)


def ramps(height, width):
    """An image that holds the row and the column of each pixel."""
    rows, columns = np.indices((height, width)).astype("float32")
    return np.stack([rows, columns, 0 * rows], axis=-1)[None]


def inner(places, margin):
    return places[0, margin:-margin, margin:-margin]


def test_first_severity_moves_three_points_affinely(generators):
    # At 32 pixels the first severity has no waves.
    for number in range(5):
        places = elastic_transform(
            ramps(32, 32), 1, generators(number + 1)[-1:]
        )
        generator = generators(number + 1)[-1]
        points = 16 + 10 * np.array([[1, 1], [-1, 1], [-1, -1]])
        moved = points + generator.uniform(-2.56, 2.56, (3, 2))
        for point, (row, column) in zip(points, moved, strict=True):
            if max(row, column) > 30:
                continue
            found = ndimage.map_coordinates(
                places[0, ..., 0], [[row], [column]], order=1
            )
            assert found[0] == pytest.approx(point[0], abs=1e-3)


@pytest.mark.parametrize(
    "severity, waves, sigma, shift",
    [(3, 2.56, 1.92, 1.92), (5, 3.2, 0.96, 0.96)],
)
def test_waves_on_top(severity, waves, sigma, shift, generators):
    (places,) = elastic_transform(ramps(32, 32), severity, generators(1))
    (generator,) = generators(1)
    points = 16 + 10 * np.array([[1, 1], [-1, 1], [-1, -1]])
    moved = points + generator.uniform(-shift, shift, (3, 2))
    affine = np.linalg.lstsq(np.c_[moved, np.ones(3)], points, rcond=None)[0]
    moves = waves * np.stack(
        [
            ndimage.gaussian_filter(each, sigma, mode="reflect", truncate=3)
            for each in generator.uniform(-1, 1, (2, 32, 32))
        ]
    )
    rows, columns = np.indices((32, 32)) + moves
    expected = np.stack([rows, columns, np.ones((32, 32))], axis=-1) @ affine
    np.testing.assert_allclose(
        places[10:22, 10:22, :2], expected[10:22, 10:22], atol=1e-3
    )


def test_any_shape_and_each_image_for_itself(generators):
    images = np.repeat(ramps(40, 64)[..., :1], 3, axis=0)
    output = elastic_transform(images, 4, generators(3))
    assert output.shape == (3, 40, 64, 1)
    assert not np.allclose(output[0], output[1], atol=0.1)
    # Mirrored at the borders: nothing comes from outside of the image.
    assert output.min() >= 0
    assert output.max() <= 39
