import numpy as np
from scipy import ndimage

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def elastic_transform(images, severity, generators):
    """Stretches images as a whole, and each region a little."""
    waves, sigma, shift = severity_constants(
        (
            (0.0, 0.0, 2.56),
            (1.6, 6.4, 2.24),
            (2.56, 1.92, 1.92),
            (3.2, 1.28, 1.6),
            (3.2, 0.96, 0.96),
        ),
        (
            (488, 170.8, 24.4),
            (488, 19.52, 48.8),
            (12.2, 2.44, 4.88),
            (17.08, 2.44, 4.88),
            (29.28, 2.44, 4.88),
        ),
        severity,
        images,
    )
    stretched = np.stack(
        [
            _stretched(image, shift, generator)
            for image, generator in zip(images, generators, strict=True)
        ]
    )
    shape = (2, *images.shape[1:3])
    moves = np.stack([each.uniform(-1, 1, shape) for each in generators])
    moves = waves * ndimage.gaussian_filter(
        moves, (0, 0, sigma, sigma), mode="reflect", truncate=3
    )
    places = np.indices(shape[1:]) + moves
    return np.stack(
        [
            _read(*pair, mode="reflect")
            for pair in zip(stretched, places, strict=True)
        ]
    )


def _stretched(image, shift, generator):
    """The affine image that moves three of its points at random."""
    middle = np.array(image.shape[:2]) // 2
    arm = min(image.shape[:2]) // 3
    points = middle + arm * np.array([[1, 1], [-1, 1], [-1, -1]])
    moved = points + generator.uniform(-shift, shift, points.shape)
    # Where each pixel comes from, hence from the moved points to the others.
    matrix = np.linalg.solve(np.c_[moved, np.ones(3)], points)
    rows, columns = np.indices(image.shape[:2])
    ones = np.ones(rows.shape)
    places = np.tensordot(matrix.T, np.stack([rows, columns, ones]), axes=1)
    return _read(image, places, mode="mirror")


def _read(image, places, mode):
    """The values of an image between its pixels."""
    channels = [
        ndimage.map_coordinates(channel, places, order=1, mode=mode)
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack(channels, axis=-1)
