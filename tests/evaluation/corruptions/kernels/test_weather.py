import colorsys

import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.blur import smeared, zoomed
from keras_fewlabels.evaluation.corruptions.kernels.weather import (
    brightened,
    brightness,
    fog,
    frost,
    luminance,
    plasma,
    snow,
)


@pytest.mark.parametrize(
    "severity, constants",
    [
        (1, (0.1, 0.2, 1, 0.6, 8, 3, 0.95)),
        (5, (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8)),
    ],
)
def test_snow_whitens_and_adds_flakes_and_their_half_turn(
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


@pytest.mark.parametrize(
    "side, severity, keep, cover",
    [(32, 1, 1, 0.2), (32, 5, 0.75, 0.45), (224, 3, 0.7, 0.7)],
)
def test_ice_has_the_look_of_the_photographs(
    side, severity, keep, cover, generators
):
    black = np.zeros((24, side, side, 3), "float32")
    white = np.ones((24, side, side, 3), "float32")
    ice = frost(black, severity, generators(24)) / cover
    np.testing.assert_allclose(
        frost(white, severity, generators(24)), keep + cover * ice, atol=1e-5
    )
    # Of the benchmark's five: levels from 0.48 to 0.81, deviations within a
    # crop from 0.07 to 0.13, and more blue than red.
    levels = ice.mean(axis=(1, 2, 3))
    assert levels.min() > 0.4
    assert levels.max() < 0.85
    assert levels.std() > 0.05
    assert 0.07 < ice.std(axis=(1, 2)).mean() < 0.13
    assert (ice[..., 2].mean(axis=(1, 2)) > ice[..., 0].mean(axis=(1, 2))).all()


def test_each_image_has_its_own_ice(generators):
    black = np.zeros((8, 32, 32, 1), "float32")
    ice = frost(black, 3, generators(8)).reshape(8, -1)
    assert np.abs(np.corrcoef(ice) - np.eye(8)).max() < 0.5


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
    "side, severity, decay, dark, bright, cloud",
    [
        # Of strength 0.2: (0.1 + 0.2 cloud) * 0.5 / (0.5 + 0.2), and with 0.5.
        (32, 1, 3, 0.0714286, 0.3571429, 0.1428571),
        # Of strength 3: (0.1 + 3 cloud) * 0.5 / (0.5 + 3), and with 0.5.
        (224, 5, 1.4, 0.0142857, 0.0714286, 0.4285714),
    ],
)
def test_fog_is_added_and_dimmed(
    side, severity, decay, dark, bright, cloud, generators
):
    images = np.full((1, side, side, 3), 0.1, "float32")
    images[:, :, side // 2 :] = 0.5
    width = 1 << (side - 1).bit_length()
    noise = generators(1)[0].uniform(-1, 1, (width, width))
    clouds = slow_plasma(width, decay, noise)[:side, :side]
    expected = np.full((side, side), dark)
    expected[:, side // 2 :] = bright
    found = fog(images, severity, generators(1))
    for channel in range(3):
        np.testing.assert_allclose(
            found[0, ..., channel], expected + cloud * clouds, atol=1e-5
        )


def test_fog_of_any_shape_leaves_black_images_black(generators):
    images = np.zeros((1, 40, 33, 1), "float32")
    np.testing.assert_array_equal(fog(images, 3, generators(1)), images)


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


def test_brightened_by_a_negative_amount():
    expected = in_hsv(IMAGES, lambda h, s, v: (h, s, max(v - 0.3, 0)))
    np.testing.assert_allclose(brightened(IMAGES, -0.3), expected, atol=1e-6)


def test_brightness_and_luminance_of_grey_images():
    grey = IMAGES[..., :1]
    np.testing.assert_array_equal(luminance(grey), grey)
    np.testing.assert_allclose(
        brightness(grey, 2, None), np.minimum(grey + 0.1, 1), atol=1e-6
    )


def test_luminance_of_pure_colours():
    found = luminance(np.eye(3, dtype="float32").reshape(1, 1, 3, 3))
    np.testing.assert_allclose(found.ravel(), [0.299, 0.587, 0.114])
