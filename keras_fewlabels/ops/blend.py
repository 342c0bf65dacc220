"""Ops that blend each image with a degenerate version of it."""

from keras import ops


def blend(degenerate, images, factor):
    """Interpolates between two images, as Pillow's `Image.blend` does.

    A factor of 0 gives `degenerate`, 1 gives `images`, and factors above 1
    exaggerate the difference between the two. The result is clipped to 0..255
    and truncated to whole levels. It is that of Pillow bit for bit, also where
    XLA would fuse the product and the sum into one rounding.

    Args:
        degenerate: Levels, any numeric tensor that broadcasts to `images`.
        images: Levels, a numeric tensor.
        factor: A float, or a tensor that broadcasts to `images`.

    Returns:
        A uint8 tensor.

    Example:

    >>> from keras_fewlabels.ops.blend import blend
    >>> brighter = blend(0, np.array([10, 200]), 1.5)
    >>> keras.ops.convert_to_numpy(brighter)
    array([ 15, 255], dtype=uint8)
    """
    degenerate = ops.cast(degenerate, "float32")
    difference = ops.cast(images, "float32") - degenerate
    # Sign times size leaves XLA no product that it could fuse with the sum.
    step = ops.sign(difference) * (
        ops.cast(factor, "float32") * ops.abs(difference)
    )
    return ops.cast(ops.clip(degenerate + step, 0, 255), "uint8")


def luma(images):
    """Computes the luma of each pixel, as Pillow converts RGB to grey.

    Args:
        images: Levels, an integer tensor of shape `(..., channels)` with 1 or
            3 channels.

    Returns:
        An int32 tensor of levels of shape `(..., 1)`.

    Example:

    >>> from keras_fewlabels.ops.blend import luma
    >>> red = np.array([255, 0, 0], dtype="uint8")
    >>> keras.ops.convert_to_numpy(luma(red))
    array([76], dtype=int32)
    """
    images = ops.cast(images, "int32")
    if images.shape[-1] == 1:
        return images
    red, green, blue = (images[..., i : i + 1] for i in range(3))
    weighted = red * 19595 + green * 38470 + blue * 7471 + 0x8000
    return ops.right_shift(weighted, 16)


def color(images, factor):
    """Changes the saturation of each image by a factor of its own.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        factor: A tensor of shape `(batch,)`: 0 gives a grey image, 1 the
            image itself, 2 twice its saturation.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.blend import color
    >>> red = np.array([[[[255, 0, 0]]]], dtype="uint8")
    >>> paler = color(red, np.array([0.5]))
    >>> keras.ops.convert_to_numpy(paler).ravel()
    array([165,  38,  38], dtype=uint8)
    """
    return blend(luma(images), images, ops.reshape(factor, (-1, 1, 1, 1)))


def contrast(images, factor, levels=None):
    """Changes the contrast of each image around its mean luma.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        factor: A float tensor of shape `(batch,)`: 0 gives flat grey, 1 the
            image itself.
        levels: Optional levels to change instead of those of `images`. Then
            only the mean comes from `images`.

    Returns:
        A uint8 tensor of the shape of `images`, or of `levels`.

    Example:

    >>> from keras_fewlabels.ops.blend import contrast
    >>> images = np.array([[[[100], [120]]]], dtype="uint8")
    >>> output = contrast(images, np.array([2.0]))
    >>> keras.ops.convert_to_numpy(output).ravel()
    array([ 90, 130], dtype=uint8)
    """
    height, width = ops.shape(images)[1:3]
    total = ops.sum(luma(images), axis=(1, 2, 3), keepdims=True)
    # Integers round half up exactly; a float32 mean would not be exact.
    mean = (total + height * width // 2) // (height * width)
    levels = images if levels is None else levels
    return blend(mean, levels, ops.reshape(factor, (-1, 1, 1, 1)))


def sharpness(images, factor):
    """Blurs or sharpens each image by a factor of its own.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        factor: A tensor of shape `(batch,)`: 0 smooths over 3x3 pixels, 1
            gives the image itself, 2 doubles its fine detail. The outermost
            pixels stay as they are, as in Pillow.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.blend import sharpness
    >>> dot = np.zeros((1, 3, 3, 1), dtype="uint8")
    >>> dot[0, 1, 1, 0] = 130
    >>> blurred = sharpness(dot, np.array([0.0]))
    >>> int(blurred[0, 1, 1, 0])  # 5 / 13 of the centre
    50
    """
    height, width = ops.shape(images)[1:3]
    levels = ops.cast(images, "int32")
    padded = ops.pad(levels, [[0, 0], [1, 1], [1, 1], [0, 0]])
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    total = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] + 4 * levels
    smooth = (2 * total + 13) // 26
    y = ops.reshape(ops.arange(height, dtype="int32"), (1, -1, 1, 1))
    x = ops.reshape(ops.arange(width, dtype="int32"), (1, 1, -1, 1))
    inside = (y > 0) & (y < height - 1) & (x > 0) & (x < width - 1)
    degenerate = ops.where(inside, smooth, levels)
    return blend(degenerate, images, ops.reshape(factor, (-1, 1, 1, 1)))
