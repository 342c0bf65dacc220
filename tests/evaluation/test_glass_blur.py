import numpy as np
import pytest

from keras_fewlabels.evaluation.blur import smoothed
from keras_fewlabels.evaluation.glass_blur import glass_blur, scattered


def slowly_scattered(images, steps, reach):
    """The benchmark's loop: copies, one pixel after the other, backwards."""
    output = images.copy()
    _, height, width, _ = images.shape
    for image, (down, right) in zip(output, steps, strict=True):
        for row in range(height - reach, reach, -1):
            for column in range(width - reach, reach, -1):
                source = (
                    row + down[row, column],
                    column + right[row, column],
                )
                image[row, column] = image[source]
    return output


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_scattered_is_the_loop(reach):
    rng = np.random.default_rng(reach)
    # Distinct values tell where each pixel came from.
    images = np.arange(3 * 32 * 40.0).reshape(3, 32, 40, 1)
    steps = rng.integers(-reach, reach, (3, 2, 32, 40))
    found = scattered(images, steps, reach)
    np.testing.assert_array_equal(found, slowly_scattered(images, steps, reach))
    assert (found != images).mean() > 0.5


@pytest.mark.parametrize(
    "side, severity, sigma, reach, rounds",
    [(32, 3, 0.4, 1, 1), (32, 4, 0.25, 1, 2), (224, 3, 1, 2, 3)],
)
def test_rounds_between_two_blurs(
    side, severity, sigma, reach, rounds, generators
):
    images = np.random.default_rng(0).random((2, side, side, 3), "float32")
    expected = smoothed(images, sigma)
    draws = generators(2)
    for _ in range(rounds):
        steps = [
            each.integers(-reach, reach, (2, side, side)) for each in draws
        ]
        expected = slowly_scattered(expected, np.stack(steps), reach)
    np.testing.assert_allclose(
        glass_blur(images, severity, generators(2)), smoothed(expected, sigma)
    )
