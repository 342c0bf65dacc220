import math

import numpy as np
from scipy import ndimage

from keras_fewlabels.evaluation.severity_constants import severity_constants


def zoom_blur(images, severity, generators):
    """Averages images zoomed in further and further, as in a fast approach."""
    largest, step = severity_constants(
        ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        severity,
        images,
    )
    factors = np.arange(1, largest, step)
    total = images + sum(zoomed(images, factor) for factor in factors)
    return total / (len(factors) + 1)


def zoomed(images, factor):
    """The middle of images, enlarged to their full size.

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
    """The matrix that enlarges the middle of a line of `size` pixels."""
    kept = math.ceil(size / factor)
    start = (size - kept) // 2
    line = np.eye(size, dtype="float32")[start : start + kept]
    matrix = ndimage.zoom(line, (factor, 1), order=1)
    start = (len(matrix) - size) // 2
    return matrix[start : start + size]
