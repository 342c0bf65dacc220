import math

import numpy as np

from keras_fewlabels.evaluation.severity_constants import severity_constants


def motion_blur(images, severity, generators):
    """Smears each image along a direction of its own, within 45 degrees."""
    radius, sigma = severity_constants(
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        severity,
        images,
    )
    angles = [each.uniform(-45, 45) for each in generators]
    return smeared(images, radius, sigma, angles)


def smeared(images, radius, sigma, angles):
    """Images whose pixels trail off to one side, each in its direction.

    The kernel is that of ImageMagick, which made the benchmark: half a normal
    curve of `2 * radius + 1` whole pixels along the direction.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        radius: Float, in pixels.
        sigma: Float, in pixels, how fast the trail fades.
        angles: Sequence of floats, in degrees from the row downwards, one per
            image.

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
