import math

import numpy as np
import pytest

from keras_fewlabels.evaluation.zoom_blur import zoom_blur, zoomed


def slowly_zoomed(line, factor):
    """A line enlarged by linear interpolation from end to end, and trimmed."""
    size = len(line)
    kept = math.ceil(size / factor)
    start = (size - kept) // 2
    length = round(kept * factor)
    places = start + np.arange(length) * (kept - 1) / (length - 1)
    larger = np.interp(places, np.arange(size), line)
    start = (length - size) // 2
    return larger[start : start + size]


@pytest.mark.parametrize("factor", [1, 1.03, 1.5, 2.25])
def test_zoomed_along_each_axis(factor):
    line = np.random.default_rng(0).random(32).astype("float32")
    square = np.broadcast_to(line[:, None, None], (32, 40, 2))
    images = np.stack([square, square * 0.5])
    found = zoomed(images, factor)
    expected = slowly_zoomed(line, factor)
    np.testing.assert_allclose(found[0, :, 7, 1], expected, atol=1e-5)
    np.testing.assert_allclose(found[1, :, 39, 0], 0.5 * expected, atol=1e-5)
    turned = zoomed(images.transpose(0, 2, 1, 3), factor)
    np.testing.assert_allclose(turned[0, 7, :, 1], expected, atol=1e-5)


# The factors of the benchmark are `arange`, which twice includes its end.
FACTORS = {
    (32, 1): (1.06, 0.01, 7),
    (32, 5): (1.26, 0.01, 26),
    (224, 1): (1.11, 0.01, 12),
    (224, 4): (1.26, 0.02, 13),
}


@pytest.mark.parametrize("side, severity", FACTORS)
def test_mean_over_the_published_factors(side, severity, photographs):
    end, step, number = FACTORS[side, severity]
    factors = np.arange(1, end, step)
    assert len(factors) == number
    line = photographs(side)[0, 5, :, 1] / np.float32(255)
    images = np.broadcast_to(line[None, None, :, None], (1, side, side, 1))
    zooms = [slowly_zoomed(line, factor) for factor in factors]
    np.testing.assert_allclose(
        zoom_blur(images, severity, None)[0, 9, :, 0],
        (line + sum(zooms)) / (number + 1),
        atol=1e-5,
    )
