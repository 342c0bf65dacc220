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
    product = 255 * (same - lowest)
    table = product // spread
    is_whole = (table * spread == product) & (same <= highest)
    table = ops.clip(table, 0, 255)
    error = _error_of_doubles(table, lowest, spread)
    table = table - ops.where(is_whole, error, 0)
    return ops.where(highest > lowest, table, same)


def _extremes(images, reduce):
    # Reduces whole rows over the height first, which on a CPU is ten times as
    # fast as both axes at once.
    _, height, width, channels = ops.shape(images)
    rows = ops.reshape(images, (-1, height, width * channels))
    row = ops.reshape(reduce(rows, axis=1), (-1, width, channels))
    extreme = ops.cast(reduce(row, axis=1), "int32")
    return ops.reshape(extreme, (-1, 1, 1, channels))


def _error_of_doubles(table, lowest, spread):
    """Returns by how much Pillow is lower where levels are whole, 0 or 1."""
    bits, first, parts = _errors_of_doubles()
    parts = ops.take(parts, spread)
    number = ops.take(first, spread) + lowest * (parts + 1)
    number = number + table * parts // 255
    byte = ops.cast(ops.take(bits, ops.right_shift(number, 3)), "int32")
    return ops.right_shift(byte, 7 - (number & 7)) & 1


@functools.cache
def _errors_of_doubles():
    # Pillow computes int(level * scale + offset) in doubles, and rounding
    # errors sometimes bring the sum just below a whole number. Integers have
    # no such errors, and JAX and TPUs no doubles. So there is a bit for each
    # spread, lowest level and whole number k * 255 / parts, where parts is
    # gcd(255, spread) and k runs from 0 to parts. These are 24 kB. Every graph
    # keeps copies of them, so that a bit for each level would take many MB.
    spreads = np.arange(256)
    parts = np.gcd(255, spreads)
    counts = np.where(spreads > 0, (256 - spreads) * (parts + 1), 0)
    first = np.cumsum(counts) - counts
    errors = [_errors_at(spread, parts[spread]) for spread in spreads[1:]]
    bits = np.packbits(np.concatenate(errors))
    return bits, np.int32(first), np.int32(parts)


def _errors_at(spread, parts):
    lowest = np.arange(256 - spread)[:, None]
    part = np.arange(parts + 1)
    level = lowest + part * (spread // parts)
    scale = 255.0 / spread
    pillow = np.trunc(level * scale + -lowest * scale)
    return (pillow < part * (255 // parts)).ravel()
