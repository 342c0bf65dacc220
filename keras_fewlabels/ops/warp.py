"""The affine warp of images, for rotation, shear and translation."""

from keras import ops


def warp(images, matrix, fill=128, interpolation="bilinear", axis=None):
    """Warps each image by an affine map of its own.

    As in Pillow's `Image.transform`, pixel centers lie at halves, and
    positions are rounded to 65536ths of a pixel, which Pillow does only for
    `"nearest"`.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        matrix: A float tensor of shape `(batch, 6)` that says where each
            pixel comes from; see `matrix.py`.
        fill: Number in 0..255, the level of pixels that come from outside.
        interpolation: `"nearest"` or `"bilinear"`.
        axis: `"x"` or `"y"` if the map moves pixels along this axis alone.
            Then half as many pixels are read.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.matrix import translate_matrix
    >>> from keras_fewlabels.ops.warp import warp
    >>> images = np.array([[[[1], [2], [3]]]], dtype="uint8")
    >>> left = translate_matrix(np.ones(1), np.zeros(1))
    >>> moved = warp(images, left, fill=9)
    >>> keras.ops.convert_to_numpy(moved).ravel()
    array([2, 3, 9], dtype=uint8)
    """
    _, height, width, channels = ops.shape(images)
    pixels = ops.reshape(ops.cast(images, "uint8"), (-1, channels))
    x, y = _positions(ops.cast(matrix, "float32"), height, width)
    column, row = ops.right_shift(x, 16), ops.right_shift(y, 16)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    if interpolation == "nearest":
        moved = _pick(pixels, column, row, height, width)
    else:
        x, y = x - 0x8000, y - 0x8000
        moved = _bilinear(pixels, x, y, height, width, axis)
    moved = ops.cast(moved, "uint8")
    return ops.where(inside[..., None], moved, ops.cast(fill, "uint8"))


def _positions(matrix, height, width):
    # Fixed point with sixteen bits behind the point, from a pixel's center.
    # Integers give the same result on every backend, compiled or not.
    a, b, c, d, e, f = (matrix[:, i, None, None] for i in range(6))
    a, b, c, d, e, f = (
        ops.cast(ops.floor(value * 65536 + 0.5), "int32")
        for value in (a, b, c + (a + b) * 0.5, d, e, f + (d + e) * 0.5)
    )
    # All of one rank: in a graph of unknown sizes, TensorFlow's optimizer
    # loses the batch axis of a sum of tensors of several ranks.
    x = ops.arange(width, dtype="int32")[None, None]
    y = ops.arange(height, dtype="int32")[None, :, None]
    return a * x + b * y + c, d * x + e * y + f


def _bilinear(pixels, x, y, height, width, axis):
    left, upper = ops.right_shift(x, 16), ops.right_shift(y, 16)
    # With weights of eleven bits, a level times two weights fits in 32 bits.
    right = ops.right_shift(x & 0xFFFF, 5)[..., None]
    lower = ops.right_shift(y & 0xFFFF, 5)[..., None]

    def between(row):
        first = _pick(pixels, left, row, height, width)
        if axis == "y":
            return first * 2048
        second = _pick(pixels, left + 1, row, height, width)
        return first * 2048 + (second - first) * right

    first = between(upper)
    if axis == "x":
        return ops.right_shift(first, 11)
    second = between(upper + 1)
    return ops.right_shift(first * 2048 + (second - first) * lower, 22)


def _pick(pixels, x, y, height, width):
    x, y = ops.clip(x, 0, width - 1), ops.clip(y, 0, height - 1)
    rows = ops.arange(ops.shape(x)[0], dtype="int32") * height
    index = (ops.reshape(rows, (-1, 1, 1)) + y) * width + x
    return ops.cast(ops.take(pixels, index, axis=0), "int32")
