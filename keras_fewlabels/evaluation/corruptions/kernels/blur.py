"""Blur of a lens, of frosted glass, of motion and of a fast approach."""

import math

import numpy as np
from scipy import ndimage, signal

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def defocus_blur(images, severity, generators):
    """Spreads each pixel over a disk, as a lens out of focus does."""
    at_32 = ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1))
    at_64 = ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1))
    at_224 = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))
    radius, sigma = severity_constants(at_32, at_64, at_224, severity, images)
    num_samples, side = 1, min(images.shape[1:3])
    if 32 < side < 224 and side != 64:
        # The published disks are of whole pixels. Below one pixel such a disk
        # does not grow with its radius, so that only `sigma` would blur.
        num_samples = 9
        sigma = max(sigma, at_32[severity - 1][1])
    kernel = disk(radius, sigma, num_samples).astype("float32")
    half = len(kernel) // 2
    border = ((0, 0), (half, half), (half, half), (0, 0))
    padded = np.pad(images, border, mode="reflect")
    return signal.fftconvolve(
        padded, kernel[None, :, :, None], mode="valid", axes=(1, 2)
    )


def glass_blur(images, severity, generators):
    """Scatters pixels among their neighbours, as frosted glass does.

    As in the code of the benchmark, pixels are copied and not swapped: from
    the last pixel to the first, each takes the value of a random neighbour.
    """
    sigma, reach, rounds = severity_constants(
        ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        severity,
        images,
    )
    reach, rounds = round(reach), round(rounds)
    shape = (2, *images.shape[1:3])
    images = smoothed(images, sigma)
    for _ in range(rounds):
        steps = [
            generator.integers(-reach, reach, shape) for generator in generators
        ]
        images = scattered(images, np.stack(steps), reach)
    return smoothed(images, sigma)


def motion_blur(images, severity, generators):
    """Smears each image in its own direction, up to 45 degrees from a row."""
    radius, sigma = severity_constants(
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        severity,
        images,
    )
    angles = [generator.uniform(-45, 45) for generator in generators]
    return smeared(images, radius, sigma, angles)


def zoom_blur(images, severity, generators):
    """Averages images zoomed in further and further, as in a fast approach."""
    small = ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01),
             (1.26, 0.01))  # fmt: skip
    largest, step = severity_constants(
        small,
        small,
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        severity,
        images,
    )
    factors = np.arange(1, largest, step)
    total = images + sum(zoomed(images, factor) for factor in factors)
    return total / (len(factors) + 1)


def gaussian_blur(images, severity, generators):
    """Blurs with a normal kernel."""
    sigma = severity_constants(
        (0.4, 0.6, 0.7, 0.8, 1.0),
        (0.5, 0.75, 1, 1.25, 1.5),
        (1, 2, 3, 4, 6),
        severity,
        images,
    )
    return smoothed(images, sigma)


def smoothed(images, sigma):
    """Returns images blurred by `sigma` pixels, each channel by itself."""
    spread = (0, sigma, sigma) + (0,) * (images.ndim - 3)
    return ndimage.gaussian_filter(images, spread, mode="nearest")


def disk(radius, sigma, num_samples=1):
    """Returns a kernel that is a disk, its edge smoothed by `sigma` pixels.

    As in the benchmark, the smoothing mirrors the disk at the borders of the
    kernel, so that disks of 8 pixels and more brighten images by a percent.

    Args:
        radius: Float, in pixels.
        sigma: Float, in pixels.
        num_samples: Int, how many points per pixel and axis are tested for
            being in the disk. With one, a pixel is in it or not.

    Returns:
        Array of shape `(width, width)`, where `width` is odd.
    """
    half = max(8, math.ceil(radius))
    width = 2 * half + 1
    places = (np.arange(width * num_samples) + 0.5) / num_samples - width / 2
    inside = places[:, None] ** 2 + places**2 <= radius**2
    inside = inside.reshape(width, num_samples, width, num_samples)
    inside = inside.mean(axis=(1, 3))
    return ndimage.gaussian_filter(
        inside / inside.sum(),
        sigma,
        mode="mirror",
        radius=1 if radius <= 8 else 2,
    )


def scattered(images, steps, reach):
    """Gives each pixel the value of a neighbour, from the last to the first.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        steps: Integer array of shape `(batch, 2, height, width)`, the rows
            and columns from each pixel to its neighbour.
        reach: Integer. Pixels this close to the border keep their value.

    Returns:
        Array of the shape of `images`.
    """
    batch, height, width, channels = images.shape
    rows, columns = np.indices((height, width))
    inner = (rows > reach) & (rows <= height - reach)
    inner &= (columns > reach) & (columns <= width - reach)
    inner = inner.ravel()
    places = np.arange(height * width)
    offsets = (steps[:, 0] * width + steps[:, 1]).reshape(batch, -1)
    neighbors = places + np.where(inner, offsets, 0)
    # A neighbour further on in the image has taken its value before this
    # pixel does. So follow each value back to the pixel where it began.
    here, sources = places, neighbors
    while (taken := (sources > here) & inner[sources]).any():
        onward = np.take_along_axis(neighbors, sources, axis=1)
        here, sources = sources, np.where(taken, onward, sources)
    pixels = images.reshape(batch, -1, channels)
    pixels = np.take_along_axis(pixels, sources[..., None], axis=1)
    return pixels.reshape(images.shape)


def smeared(images, radius, sigma, angles):
    """Smears pixels to one side, each image in its own direction.

    The kernel is that of ImageMagick, with which the benchmark was made: half
    a normal curve of `2 * radius + 1` whole pixels along the direction.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        radius: Float, in pixels.
        sigma: Float, in pixels, the deviation of the normal curve.
        angles: Sequence of a float per image, in degrees. 0 is along the row,
            and positive angles turn downwards.

    Returns:
        Array of the shape of `images`.
    """
    steps = np.arange(2 * math.ceil(radius) + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    weights = (weights / weights.sum()).astype("float32")
    reach = len(steps)
    border = ((0, 0), (reach, reach), (reach, reach), (0, 0))
    padded = np.pad(images, border, mode="edge")
    output = np.zeros(images.shape, "float32")
    height, width = images.shape[1:3]
    for image, source, angle in zip(output, padded, angles, strict=True):
        radians = math.radians(angle)
        rows = reach + np.ceil(steps * math.sin(radians) - 0.5).astype(int)
        columns = reach + np.ceil(steps * math.cos(radians) - 0.5).astype(int)
        for weight, row, column in zip(weights, rows, columns, strict=True):
            window = source[row : row + height, column : column + width]
            image += weight * window
    return output


def zoomed(images, factor):
    """Enlarges the middle of images to their full size.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        factor: Float, 1 or more.

    Returns:
        Array of the shape of `images`.
    """
    height, width = images.shape[1:3]
    # One product per image, so that it does not depend on the batch.
    channels = np.ascontiguousarray(np.moveaxis(images, 3, 1))
    output = _zoom(height, factor) @ channels @ _zoom(width, factor).T
    return np.moveaxis(output, 1, 3)


def _zoom(size, factor):
    """Returns the matrix that enlarges the middle of a line of pixels."""
    visible = math.ceil(size / factor)
    start = (size - visible) // 2
    line = np.eye(size, dtype="float32")[start : start + visible]
    matrix = ndimage.zoom(line, (factor, 1), order=1)
    start = (len(matrix) - size) // 2
    return matrix[start : start + size]
