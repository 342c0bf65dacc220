"""Images seen from elsewhere: one sparse matrix for a whole batch."""

import numpy as np
from scipy import sparse


def projected(images, projection):
    """Images as a projection of the plane shows them.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        projection: Matrix of shape `(3, 3)` of points `(x, y, 1)`, counted
            in pixels from the middle, or a list of them, which are averaged.

    Returns:
        Array of the shape of `images`, read bilinearly, black where there is
        no image.
    """
    batch, height, width, channels = images.shape
    projections = np.reshape(projection, (-1, 3, 3))
    matrix = sum(_matrix(each, height, width) for each in projections)
    pixels = np.moveaxis(images, 0, 2).reshape(height * width, -1)
    moved = (matrix @ pixels / len(projections)).astype("float32")
    return np.moveaxis(moved.reshape(height, width, batch, channels), 2, 0)


def _matrix(projection, height, width):
    """The weights of all pixels in each pixel."""
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
