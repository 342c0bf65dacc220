import math

import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.blur import (
    defocus_blur,
    disk,
    gaussian_blur,
    glass_blur,
    motion_blur,
    scattered,
    smeared,
    smoothed,
    zoom_blur,
    zoomed,
)

IMAGES = np.random.default_rng(0).random((2, 32, 36, 3)).astype("float32")


def slow_blur(images, kernel, mode):
    """The definition, pixel by pixel."""
    half = len(kernel) // 2
    padded = np.pad(images, ((0, 0), (half, half), (half, half), (0, 0)), mode)
    output = np.zeros(images.shape)
    for row, column in np.ndindex(images.shape[1:3]):
        window = padded[
            :, row : row + len(kernel), column : column + len(kernel)
        ]
        output[:, row, column] = np.einsum("bhwc,hw->bc", window, kernel)
    return output


def normal_kernel(sigma, half):
    line = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return np.outer(line, line) / line.sum() ** 2


@pytest.mark.parametrize("severity, sigma", [(1, 0.4), (3, 0.7), (5, 1.0)])
def test_gaussian_blur(severity, sigma):
    kernel = normal_kernel(sigma, int(4 * sigma + 0.5))
    np.testing.assert_allclose(
        gaussian_blur(IMAGES, severity, None),
        slow_blur(IMAGES, kernel, "edge"),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "severity, radius, sigma", [(1, 0.3, 0.4), (4, 1, 0.2), (5, 1.5, 0.1)]
)
def test_defocus_blur(severity, radius, sigma):
    # A disk of whole pixels, smoothed by a kernel of three.
    rows, columns = np.mgrid[-4:5, -4:5]
    kernel = (rows**2 + columns**2 <= radius**2)[None, ..., None].astype(float)
    smooth = normal_kernel(sigma, 1)
    kernel = slow_blur(kernel / kernel.sum(), smooth, "constant")[0, ..., 0]
    np.testing.assert_allclose(
        defocus_blur(IMAGES, severity, None),
        slow_blur(IMAGES, kernel, "reflect"),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "radius, width, total",
    [(0.3, 17, 1), (3, 17, 1), (8, 17, 1.013), (10, 21, 1.008)],
)
def test_disk_is_even_and_sums_to_about_one(radius, width, total):
    kernel = disk(radius, 0.5)
    assert kernel.shape == (width, width)
    assert kernel.sum() == pytest.approx(total, abs=3e-3)
    for turned in (kernel.T, kernel[::-1], kernel[:, ::-1]):
        np.testing.assert_allclose(kernel, turned, atol=1e-12)


def test_channels_do_not_mix():
    images = np.zeros((1, 32, 32, 3), "float32")
    images[..., 1] = 1
    for blur in (
        smoothed(images, 2.5),
        defocus_blur(images, 5, None),
        gaussian_blur(images, 5, None),
    ):
        np.testing.assert_allclose(blur, images, atol=1e-6)


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


def slowly_smeared(image, radius, sigma, angle):
    height, width = image.shape[:2]
    weights = [math.exp(-((i / sigma) ** 2) / 2) for i in range(2 * radius + 1)]
    output = np.zeros(image.shape)
    for row, column in np.ndindex(height, width):
        for step, weight in enumerate(weights):
            down = math.ceil(step * math.sin(math.radians(angle)) - 0.5)
            right = math.ceil(step * math.cos(math.radians(angle)) - 0.5)
            source = (
                min(max(row + down, 0), height - 1),
                min(max(column + right, 0), width - 1),
            )
            output[row, column] += weight / sum(weights) * image[source]
    return output


@pytest.mark.parametrize("radius, sigma", [(3, 1.5), (9, 2.5)])
def test_smeared_is_the_slow_sum(radius, sigma):
    images = np.random.default_rng(0).random((4, 14, 17, 2)).astype("float32")
    angles = [0, 30, -100, 250]
    found = smeared(images, radius, sigma, angles)
    for image, angle, output in zip(images, angles, found, strict=True):
        np.testing.assert_allclose(
            output, slowly_smeared(image, radius, sigma, angle), atol=1e-6
        )


def test_trail_of_a_point_at_zero_degrees():
    images = np.zeros((1, 5, 9, 1), "float32")
    images[0, 2, 6] = 1
    (output,) = smeared(images, 2, 1.0, [0])[..., 0]
    assert output[2, 2:7].tolist() == sorted(output[2, 2:7])
    assert output.sum() == output[2, 2:7].sum() == pytest.approx(1)


def test_each_image_has_a_direction_within_45_degrees(generators):
    # A point leaves a trail in the direction that it was smeared from.
    images = np.zeros((200, 33, 33, 1), "float32")
    images[:, 16, 16] = 1
    trails = motion_blur(images, 5, generators(200))[..., 0]
    rows, columns = np.mgrid[16:-17:-1, 16:-17:-1]
    slopes = [
        np.average(rows / columns.clip(1), weights=t * (columns > 3))
        for t in trails
    ]
    angles = np.degrees(np.arctan(slopes))
    assert angles.min() == pytest.approx(-45, abs=3)
    assert angles.max() == pytest.approx(45, abs=3)
    assert np.mean(angles < -15) == pytest.approx(1 / 3, abs=0.1)


def test_severities_have_the_published_constants(generators, photographs):
    images = photographs(32)[:1] / np.float32(255)
    angle = generators(1)[0].uniform(-45, 45)
    np.testing.assert_allclose(
        motion_blur(images, 4, generators(1))[0],
        slowly_smeared(images[0], 8, 2, angle),
        atol=1e-6,
    )


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


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_defocus_blur_between_the_published_sizes(severity, photographs):
    strengths = []
    for side in (32, 64, 81, 150, 224):
        images = photographs(side) / np.float32(255)
        blurred = defocus_blur(images, severity, None)
        strengths.append(float(np.abs(blurred - images).mean()))
    # Each size is blurred more strongly than the smaller ones.
    assert strengths == sorted(strengths)
    assert strengths[1] > 1.05 * strengths[0]


def test_disk_of_parts_of_pixels_has_the_area_of_a_circle():
    kernel = disk(2.5, 1e-3, num_samples=25)
    # Pixels that are wholly inside have the same share of the sum.
    assert kernel[8, 8] == pytest.approx(1 / (math.pi * 2.5**2), rel=0.01)
    # On the row through the middle, the circle ends between two pixels.
    assert kernel[8, 10] == pytest.approx(kernel[8, 8], rel=0.05)
    assert kernel[8, 11] == pytest.approx(0)
