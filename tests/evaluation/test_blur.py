import numpy as np
import pytest

from keras_fewlabels.evaluation.blur import (
    defocus_blur,
    disk,
    gaussian_blur,
    smoothed,
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
