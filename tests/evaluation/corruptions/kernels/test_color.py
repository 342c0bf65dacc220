import colorsys

import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.color import (
    brightened,
    brightness,
    contrast,
    luminance,
    saturate,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 32, 32, 3)).astype("float32")
# Black, white, grey and pure colours have hues and saturations of their own.
IMAGES[0, 0, :6] = [
    [0, 0, 0],
    [1, 1, 1],
    [0.5] * 3,
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
]


def in_hsv(images, function):
    """Changes hue, saturation and value of each pixel by `colorsys`."""
    output = np.empty(images.shape)
    for place in np.ndindex(images.shape[:3]):
        hsv = function(*colorsys.rgb_to_hsv(*map(float, images[place])))
        output[place] = colorsys.hsv_to_rgb(*hsv)
    return output


@pytest.mark.parametrize("severity, amount", [(1, 0.05), (5, 0.3)])
def test_brightness_raises_the_value(severity, amount):
    expected = in_hsv(IMAGES, lambda h, s, v: (h, s, min(v + amount, 1)))
    found = brightness(IMAGES, severity, None)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_brightened_by_less_than_nothing():
    expected = in_hsv(IMAGES, lambda h, s, v: (h, s, max(v - 0.3, 0)))
    np.testing.assert_allclose(brightened(IMAGES, -0.3), expected, atol=1e-6)


@pytest.mark.parametrize(
    "severity, factor, offset",
    [(1, 0.3, 0), (2, 0.1, 0), (4, 2, 0.1), (5, 2.5, 0.2)],
)
def test_saturate(severity, factor, offset):
    expected = in_hsv(
        IMAGES, lambda h, s, v: (h, min(s * factor + offset, 1), v)
    )
    found = saturate(IMAGES, severity, None)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("severity, factor", [(1, 0.75), (5, 0.15)])
def test_contrast_keeps_the_mean_of_each_channel(severity, factor):
    found = contrast(IMAGES, severity, None)
    mean = IMAGES.mean(axis=(1, 2))
    np.testing.assert_allclose(found.mean(axis=(1, 2)), mean, atol=1e-6)
    np.testing.assert_allclose(
        found.std(axis=(1, 2)), factor * IMAGES.std(axis=(1, 2)), rtol=1e-4
    )


def test_grey_images():
    grey = IMAGES[..., :1]
    np.testing.assert_array_equal(saturate(grey, 5, None), grey)
    np.testing.assert_array_equal(luminance(grey), grey)
    np.testing.assert_allclose(
        brightness(grey, 2, None), np.minimum(grey + 0.1, 1), atol=1e-6
    )


def test_luminance_of_pure_colours():
    found = luminance(np.eye(3, dtype="float32").reshape(1, 1, 3, 3))
    np.testing.assert_allclose(found.ravel(), [0.299, 0.587, 0.114])
