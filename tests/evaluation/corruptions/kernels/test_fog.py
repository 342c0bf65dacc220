import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.fog import fog, plasma


def slow_plasma(size, decay, noise):
    """Diamond-square, point by point, on a map that wraps around."""
    heights = np.zeros((size, size))
    step, wave = size, 100.0
    while step > 1:
        half = step // 2

        def fill(row, column, offsets, wave=wave):
            corners = [
                heights[(row + down) % size, (column + right) % size]
                for down, right in offsets
            ]
            wobble = wave**2 * noise[row, column]
            heights[row, column] = sum(corners) / 4 + wobble

        square = [(a, b) for a in (-half, half) for b in (-half, half)]
        diamond = [(-half, 0), (half, 0), (0, -half), (0, half)]
        for row in range(half, size, step):
            for column in range(half, size, step):
                fill(row, column, square)
        for row in range(0, size, step):
            for column in range(0, size, step):
                fill(row, column + half, diamond)
                fill(row + half, column, diamond)
        step, wave = half, wave / decay
    heights -= heights.min()
    return heights / heights.max()


@pytest.mark.parametrize("size, width, decay", [(32, 32, 1.75), (33, 64, 3)])
def test_plasma_is_the_slow_algorithm(size, width, decay, generators):
    found = plasma(size, decay, generators(2))
    for heights, generator in zip(found, generators(2), strict=True):
        noise = generator.uniform(-1, 1, (width, width))
        np.testing.assert_allclose(
            heights, slow_plasma(width, decay, noise), atol=1e-6
        )


@pytest.mark.parametrize(
    "side, severity, strength, decay", [(32, 1, 0.2, 3), (224, 5, 3, 1.4)]
)
def test_fog_is_added_and_dimmed(side, severity, strength, decay, generators):
    images = np.random.default_rng(0).random((2, side, side, 3), "float32") / 2
    clouds = plasma(side, decay, generators(2))[:, :side, :side, None]
    brightest = images.max(axis=(1, 2, 3), keepdims=True)
    expected = (images + strength * clouds) / (brightest + strength) * brightest
    found = fog(images, severity, generators(2))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_image_of_any_shape_and_black_stays_black(generators):
    images = np.zeros((1, 40, 33, 1), "float32")
    np.testing.assert_array_equal(fog(images, 3, generators(1)), images)
