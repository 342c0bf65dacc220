"""Tables of the pointwise ops that depend on the histogram of the image."""

import functools

import numpy as np
from keras import ops

from keras_fewlabels.ops.pixel import levels


def histogram(images):
    """Counts how often each level occurs, per image and channel.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.

    Returns:
        An int32 tensor of shape `(batch, channels, 256)`.

    Example:

    >>> from keras_fewlabels.ops.histogram import histogram
    >>> images = np.array([[[[3], [3], [5]]]], dtype="uint8")
    >>> counts = histogram(images)
    >>> keras.ops.convert_to_numpy(counts)[0, 0, :6]
    array([0, 0, 0, 2, 0, 1], dtype=int32)
    """
    batch, channels = ops.shape(images)[0], images.shape[-1]
    rows = ops.reshape(ops.arange(batch, dtype="int32"), (-1, 1, 1, 1))
    rows = rows * channels + ops.arange(channels, dtype="int32")
    index = ops.reshape(ops.cast(images, "int32") + 256 * rows, (-1,))
    counts = ops.segment_sum(
        ops.ones_like(index), index, num_segments=batch * channels * 256
    )
    return ops.reshape(counts, (-1, channels, 256))


def equalize_table(images):
    """Computes the tables that spread the levels of each channel evenly.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.

    Returns:
        An int32 tensor of shape `(batch, 256, 1, channels)`, see `look_up`.

    Example:

    >>> from keras_fewlabels.ops.histogram import equalize_table
    >>> images = np.repeat(np.array([90, 91], "uint8"), 255)
    >>> images = images.reshape(1, 2, 255, 1)
    >>> table = equalize_table(images)
    >>> keras.ops.convert_to_numpy(table)[0, 90:92, 0, 0]
    array([  0, 255], dtype=int32)
    """
    counts = ops.transpose(histogram(images), (0, 2, 1))[:, :, None]
    below = ops.cumsum(counts, axis=1) - counts
    # Below the highest level that occurs are all pixels but its own.
    step = ops.max(ops.where(counts > 0, below, 0), axis=1, keepdims=True)
    step = step // 255
    table = (below + step // 2) // ops.maximum(step, 1)
    same = ops.cast(levels(), "int32")
    return ops.where(step > 0, ops.clip(table, 0, 255), same)


def autocontrast_table(images):
    """Computes the tables that stretch each channel over 0..255.

    Args:
        images: Levels, a uint8 tensor of shape
            `(batch, height, width, channels)`.

    Returns:
        An int32 tensor of shape `(batch, 256, 1, channels)`, see `look_up`.
        Channels of a single level stay as they are.

    Example:

    >>> from keras_fewlabels.ops.histogram import autocontrast_table
    >>> images = np.array([[[[100], [110], [120]]]], dtype="uint8")
    >>> table = autocontrast_table(images)
    >>> keras.ops.convert_to_numpy(table)[0, [100, 110, 120], 0, 0]
    array([  0, 127, 255], dtype=int32)
    """
    lowest, highest = _extremes(images, ops.min), _extremes(images, ops.max)
    spread = ops.maximum(highest - lowest, 1)
    same = ops.cast(levels(), "int32")
    table = 255 * (same - lowest) // spread
    missing = ops.take(_autocontrast_bits(), lowest * 256 + highest, axis=0)
    bits = ops.arange(7, -1, -1, dtype="int32")
    missing = ops.right_shift(ops.cast(missing, "int32")[..., None], bits) & 1
    missing = ops.reshape(missing, (-1, images.shape[-1], 256))
    missing = ops.transpose(missing, (0, 2, 1))[:, :, None]
    table = ops.clip(table - missing, 0, 255)
    return ops.where(highest > lowest, table, same)


def _extremes(images, reduce):
    # Reduces whole rows over the height first, which on a CPU is ten times as
    # fast as both axes at once.
    _, height, width, channels = ops.shape(images)
    rows = ops.reshape(images, (-1, height, width * channels))
    row = ops.reshape(reduce(rows, axis=1), (-1, width, channels))
    extreme = ops.cast(reduce(row, axis=1), "int32")
    return ops.reshape(extreme, (-1, 1, 1, channels))


@functools.cache
def _autocontrast_bits():
    # Pillow computes int(level * scale + offset) in doubles, and rounding
    # errors sometimes bring the sum just below a whole number. Integers have
    # no such errors, and JAX and TPUs no doubles. So a table with one bit per
    # (lowest, highest, level), 2 MB in all, holds where Pillow is one lower.
    bits = np.zeros((256, 256, 32), "uint8")
    level = np.arange(256)
    for lowest in range(255):
        spread = np.arange(1, 256 - lowest)[:, None]
        scale = 255.0 / spread
        pillow = np.trunc(level * scale + -lowest * scale)
        exact = 255 * (level - lowest) // spread
        inside = (level >= lowest) & (level <= lowest + spread)
        bits[lowest, lowest + 1 :] = np.packbits(
            inside & (pillow < exact), axis=-1
        )
    return bits.reshape(65536, 32)
