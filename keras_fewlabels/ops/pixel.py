"""Ops that change each pixel by itself.

Levels are uint8 tensors of shape `(batch, height, width, channels)` with values
in 0..255, and every image has a strength of its own. Applied to `levels()`, all
ops but `cutout` give their tables, see `look_up`.
"""

from keras import ops

from keras_fewlabels.ops.blend import blend


def levels():
    """Returns the 256 levels 0..255 as an image of one column.

    Returns:
        A uint8 tensor of shape `(1, 256, 1, 1)`.

    Example:

    >>> from keras_fewlabels.ops.pixel import invert, levels
    >>> table = invert(levels())
    >>> keras.ops.convert_to_numpy(table).ravel()[:3]
    array([255, 254, 253], dtype=uint8)
    """
    return ops.reshape(ops.cast(ops.arange(256), "uint8"), (1, 256, 1, 1))


def invert(images):
    """Inverts each level: `v` becomes `255 - v`.

    Args:
        images: Levels, a uint8 tensor.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.pixel import invert
    >>> negative = invert(np.array([0, 100], "uint8"))
    >>> keras.ops.convert_to_numpy(negative)
    array([255, 155], dtype=uint8)
    """
    return ops.cast(255 - ops.cast(images, "int32"), "uint8")


def brightness(images, factor):
    """Multiplies the levels of each image, and clips them at 255.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        factor: A float tensor of shape `(batch,)`: 0 gives black, 1 the image.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.pixel import brightness
    >>> images = np.array([0, 10, 200], "uint8").reshape(1, 1, 3, 1)
    >>> brighter = brightness(images, np.array([1.5]))
    >>> keras.ops.convert_to_numpy(brighter).ravel()
    array([  0,  15, 255], dtype=uint8)
    """
    return blend(0, images, ops.reshape(factor, (-1, 1, 1, 1)))


def posterize(images, bits):
    """Keeps the highest bits of each level and clears the others.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        bits: A tensor of shape `(batch,)` with values in 0..8. Fractions are
            rounded.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.pixel import posterize
    >>> images = np.array([15, 16, 255], "uint8").reshape(1, 1, 3, 1)
    >>> coarse = posterize(images, np.array([4]))
    >>> keras.ops.convert_to_numpy(coarse).ravel()
    array([  0,  16, 240], dtype=uint8)
    """
    bits = ops.cast(ops.round(ops.cast(bits, "float32")), "int32")
    cleared = ops.reshape(8 - bits, (-1, 1, 1, 1))
    images = ops.right_shift(ops.cast(images, "int32"), cleared)
    return ops.cast(ops.left_shift(images, cleared), "uint8")


def solarize(images, threshold):
    """Inverts the levels from a threshold upward.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        threshold: A tensor of shape `(batch,)`: 0 inverts everything, 256
            nothing.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.pixel import solarize
    >>> images = np.array([127, 128, 255], "uint8").reshape(1, 1, 3, 1)
    >>> output = solarize(images, np.array([128]))
    >>> keras.ops.convert_to_numpy(output).ravel()
    array([127, 127,   0], dtype=uint8)
    """
    threshold = ops.reshape(ops.cast(threshold, "float32"), (-1, 1, 1, 1))
    images = ops.cast(images, "uint8")
    below = ops.cast(images, "float32") < threshold
    return ops.where(below, images, invert(images))


def solarize_add(images, addition):
    """Lightens the darker half of the levels.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        addition: A tensor of shape `(batch,)`, which is added to the levels
            0..127. It is rounded, and the sum is clipped at 255.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.pixel import solarize_add
    >>> images = np.array([0, 127, 128], "uint8").reshape(1, 1, 3, 1)
    >>> output = solarize_add(images, np.array([110]))
    >>> keras.ops.convert_to_numpy(output).ravel()
    array([110, 237, 128], dtype=uint8)
    """
    addition = ops.cast(ops.round(ops.cast(addition, "float32")), "int32")
    images = ops.cast(images, "int32")
    lighter = ops.minimum(images + ops.reshape(addition, (-1, 1, 1, 1)), 255)
    return ops.cast(ops.where(images < 128, lighter, images), "uint8")


def cutout(images, side, center, fill=128):
    """Covers a square of each image with one level.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        side: A float tensor of shape `(batch,)`, as a fraction of the shorter
            side of the image; 0 covers nothing.
        center: A float tensor of shape `(batch, 2)` with the vertical and
            horizontal position of the center in `[0, 1)`. Near a border,
            only a part of the square lies in the image.
        fill: Number in 0..255, the level of the square.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.pixel import cutout
    >>> images = np.ones((1, 4, 4, 1), dtype="uint8")
    >>> covered = cutout(
    ...     images, np.array([0.5]), np.array([[0.5, 0.5]]), fill=0
    ... )
    >>> keras.ops.convert_to_numpy(covered)[0, ..., 0]
    array([[1, 1, 1, 1],
           [1, 0, 0, 1],
           [1, 0, 0, 1],
           [1, 1, 1, 1]], dtype=uint8)
    """
    height, width = ops.shape(images)[1:3]
    size = ops.cast(ops.minimum(height, width), "float32")
    reach = ops.floor(ops.cast(side, "float32") * size / 2)

    def inside(axis, size):
        position = ops.cast(center[:, axis], "float32")
        middle = ops.floor(position * ops.cast(size, "float32"))
        first = ops.reshape(middle - reach, (-1, 1))
        last = ops.reshape(middle + reach, (-1, 1))
        pixel = ops.arange(size, dtype="float32")[None]
        return (pixel >= first) & (pixel < last)

    rows, columns = inside(0, height), inside(1, width)
    covered = rows[:, :, None, None] & columns[:, None, :, None]
    return ops.where(covered, ops.cast(fill, "uint8"), images)
