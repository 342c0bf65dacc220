"""Affine maps from the pixels of the result to the pixels of the source.

Each is a float32 tensor of shape `(batch, 6)` with rows `a, b, c, d, e, f`:
the pixel at `(x, y)` comes from `(a x + b y + c, d x + e y + f)`, as in
Pillow's `Image.transform(size, AFFINE, ...)`.
"""

import math

from keras import ops


def identity_matrix():
    """Returns the map that leaves every pixel where it is.

    Returns:
        A float32 tensor of shape `(1, 6)`.

    Example:

    >>> from keras_fewlabels.ops.matrix import identity_matrix
    >>> matrix = identity_matrix()
    >>> keras.ops.convert_to_numpy(matrix)
    array([[1., 0., 0., 0., 1., 0.]], dtype=float32)
    """
    return ops.convert_to_tensor([[1, 0, 0, 0, 1, 0]], dtype="float32")


def rotate_matrix(degrees, height, width):
    """Returns the map that rotates images around their center.

    Args:
        degrees: A float tensor of shape `(batch,)`, counter-clockwise.
        height: Integer, or integer tensor.
        width: Integer, or integer tensor.

    Returns:
        A float32 tensor of shape `(batch, 6)`.

    Example:

    >>> from keras_fewlabels.ops.matrix import rotate_matrix
    >>> matrix = rotate_matrix(np.array([90.0]), 4, 4)
    >>> keras.ops.convert_to_numpy(keras.ops.round(matrix)) + 0.0
    array([[ 0.,  -1.,  4.,  1.,  0.,  0.]], dtype=float32)
    """
    angle = ops.cast(degrees, "float32") * (-math.pi / 180)
    cos, sin = ops.cos(angle), ops.sin(angle)
    x, y = (ops.cast(size, "float32") / 2 for size in (width, height))
    return ops.stack(
        [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y],
        axis=-1,
    )


def shear_matrix(x, y):
    """Returns the map that shears images from their upper left corner.

    Args:
        x: A float tensor of shape `(batch,)`, pixels to the left per row.
        y: A float tensor of shape `(batch,)`, pixels upward per column.

    Returns:
        A float32 tensor of shape `(batch, 6)`.

    Example:

    >>> from keras_fewlabels.ops.matrix import shear_matrix
    >>> matrix = shear_matrix(np.array([0.3]), np.zeros(1))
    >>> keras.ops.convert_to_numpy(matrix)
    array([[1. , 0.3, 0. , 0. , 1. , 0. ]], dtype=float32)
    """
    x, y = ops.cast(x, "float32"), ops.cast(y, "float32")
    zero, one = ops.zeros_like(x), ops.ones_like(x)
    return ops.stack([one, x, zero, y, one, zero], axis=-1)


def translate_matrix(x, y):
    """Returns the map that moves images to the left and upward.

    Args:
        x: A float tensor of shape `(batch,)`, in pixels.
        y: A float tensor of shape `(batch,)`, in pixels.

    Returns:
        A float32 tensor of shape `(batch, 6)`.

    Example:

    >>> from keras_fewlabels.ops.matrix import translate_matrix
    >>> matrix = translate_matrix(np.ones(1), np.zeros(1))
    >>> keras.ops.convert_to_numpy(matrix)
    array([[1., 0., 1., 0., 1., 0.]], dtype=float32)
    """
    x, y = ops.cast(x, "float32"), ops.cast(y, "float32")
    zero, one = ops.zeros_like(x), ops.ones_like(x)
    return ops.stack([one, zero, x, zero, one, y], axis=-1)
