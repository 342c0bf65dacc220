"""Small perturbations that grow or move from frame to frame.

Each is a function `(images, frame, generators)` of floats in 0 to 1 of shape
`(batch, height, width, channels)`, the number of the frame, and a random
generator per image. Strengths are those of CIFAR-10-P.
"""

import numpy as np
from scipy import sparse

from keras_fewlabels.evaluation.corruptions.kernels import noise
from keras_fewlabels.evaluation.corruptions.kernels.blur import smeared
from keras_fewlabels.evaluation.corruptions.kernels.weather import brightened


def gaussian_noise(images, frame, generators):
    """Adds normal noise of 0.02, drawn anew in each frame but the first."""
    drawn = noise.standard_normal(images.shape[1:], generators)
    return images + 0.02 * drawn if frame else images


def shot_noise(images, frame, generators):
    """Counts 700 photons at white, anew in each frame but the first."""
    return noise.poisson(images, 700, generators) if frame else images


def motion_blur(images, frame, generators):
    """Smears in a direction that turns by 9 degrees a frame."""
    return smeared(images, 6, 1.8, len(images) * [9 * (frame - 20)])


def zoom_blur(images, frame, generators):
    """Averages one more zoom per frame, each 0.4 percent larger."""
    zooms = 1 + 0.004 * np.arange(frame + 1)
    return projected(images, [np.diag([zoom, zoom, 1]) for zoom in zooms])


def brightness(images, frame, generators):
    """Brightens from -0.225 to 0.225."""
    return brightened(images, 0.015 * (frame - 15))


def translate(images, frame, generators):
    """Moves from 7 pixels left to 8 pixels right."""
    return projected(images, [[1, 0, frame - 7], [0, 1, 0], [0, 0, 1]])


def rotate(images, frame, generators):
    """Turns from -15 to 15 degrees."""
    angle = np.radians(frame - 15)
    sine, cosine = np.sin(angle), np.cos(angle)
    return projected(images, [[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def tilt(images, frame, generators):
    """Tilts from -11.25 to 11.25 degrees about both axes, in perspective."""
    angle = np.radians(0.75 * (frame - 15))
    sine, cosine = np.sin(angle), np.cos(angle)
    distance = np.hypot(*images.shape[1:3])
    # Right, down and away, after a turn about the upright axis and then
    # about the level one.
    right = np.array([cosine, -(sine**2), sine * cosine])
    down = np.array([0, cosine, sine])
    plane = np.stack([right, down, [0, 0, distance]], axis=1)
    return projected(images, np.diag([distance, distance, 1]) @ plane)


def scale(images, frame, generators):
    """Scales from 0.7 to 1.3 of the size."""
    factor = 0.7 + 0.02 * frame
    return projected(images, np.diag([factor, factor, 1]))


PERTURBATIONS = {
    function.__name__: function
    for function in (
        gaussian_noise,
        shot_noise,
        motion_blur,
        zoom_blur,
        brightness,
        translate,
        rotate,
        tilt,
        scale,
    )
}


def projected(images, projection):
    """Projects images as planes.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        projection: Matrix of shape `(3, 3)` of points `(x, y, 1)`, counted
            in pixels from the middle; or a list of matrices, over which the
            result is averaged.

    Returns:
        Array of the shape of `images`, read bilinearly and black outside of
        the projected image.
    """
    batch, height, width, channels = images.shape
    projections = np.reshape(projection, (-1, 3, 3))
    matrix = sum(_matrix(matrix, height, width) for matrix in projections)
    pixels = np.moveaxis(images, 0, 2).reshape(height * width, -1)
    moved = (matrix @ pixels / len(projections)).astype("float32")
    return np.moveaxis(moved.reshape(height, width, batch, channels), 2, 0)


def _matrix(projection, height, width):
    """Returns the sparse weights of all input pixels in each output pixel."""
    rows, columns = np.indices((height, width)).reshape(2, -1)
    middle = np.array([[(width - 1) / 2], [(height - 1) / 2]])
    points = np.stack([columns, rows]) - middle
    x, y, scale = np.linalg.inv(projection) @ np.r_[points, points[:1] * 0 + 1]
    columns, rows = np.stack([x, y]) / scale + middle
    left, top = np.floor(columns).astype(int), np.floor(rows).astype(int)
    corners = []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = top + row, left + column
        weights = (1 - abs(rows - row)) * (1 - abs(columns - column))
        inside = (row == row.clip(0, height - 1)) & (
            column == column.clip(0, width - 1)
        )
        place = np.nonzero(inside)[0], (row * width + column)[inside]
        shape = (height * width, height * width)
        corners.append(sparse.csr_array((weights[inside], place), shape))
    return sum(corners)
