"""Look-up tables, which hold an output level for each of 256 input levels."""

from keras import ops


def look_up(images, tables):
    """Replaces every level of an image by its entry in the image's own table.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.
        tables: The output level for each level, an integer tensor of shape
            `(batch, 256, 1, channels)`. A batch or channels of size 1 apply
            to all images or channels.

    Returns:
        A uint8 tensor of the shape of `images`.

    Example:

    >>> from keras_fewlabels.ops.look_up import look_up
    >>> from keras_fewlabels.ops.pixel import invert, levels
    >>> images = np.array([[[[0], [1], [255]]]], dtype="uint8")
    >>> negative = look_up(images, invert(levels()))
    >>> keras.ops.convert_to_numpy(negative).ravel()
    array([255, 254,   0], dtype=uint8)
    """
    batch = ops.shape(images)[0]
    channels = tables.shape[-1]
    tables = ops.cast(tables, "uint8")
    # Every backend and XLA have a fast kernel for a gather along one axis, so
    # the tables of the batch become one flat table.
    rows = ops.arange(ops.shape(tables)[0], dtype="int32") * 256
    rows = ops.broadcast_to(rows, (batch,))
    index = ops.cast(images, "int32") + ops.reshape(rows, (-1, 1, 1, 1))
    index = index * channels + ops.arange(channels, dtype="int32")
    return ops.take(ops.reshape(tables, (-1,)), index)
