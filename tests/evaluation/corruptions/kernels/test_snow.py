import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.blur import smeared, zoomed
from keras_fewlabels.evaluation.corruptions.kernels.snow import snow


@pytest.mark.parametrize(
    "severity, constants",
    [
        (1, (0.1, 0.2, 1, 0.6, 8, 3, 0.95)),
        (5, (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8)),
    ],
)
def test_whitened_with_flakes_and_their_half_turn(
    severity, constants, generators, photographs
):
    mean, deviation, zoom, threshold, radius, sigma, keep = constants
    image = photographs(32)[0] / 255
    (generator,) = generators(1)
    layer = mean + deviation * generator.standard_normal((32, 32, 1), "float32")
    flakes = zoomed(layer[None], zoom)
    flakes[flakes < threshold] = 0
    angle = generator.uniform(-135, -45)
    flakes = smeared(flakes.clip(0, 1), radius, sigma, [angle])[0]
    grey = image @ [0.299, 0.587, 0.114]
    white = np.maximum(image, 1.5 * grey[..., None] + 0.5)
    expected = keep * image + (1 - keep) * white + flakes + np.rot90(flakes, 2)
    found = snow(image[None].astype("float32"), severity, generators(1))
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_flakes_are_white_and_fall_down(generators):
    images = np.zeros((60, 64, 64, 3), "float32")
    output = snow(images, 3, generators(60))
    assert np.ptp(output, axis=-1).max() == 0
    down = np.abs(np.diff(output, axis=1)).mean()
    across = np.abs(np.diff(output, axis=2)).mean()
    # Streaks change little along their fall.
    assert down < 0.8 * across
