"""The values of black and white of images."""

import math

import numpy as np

# Black and white of float images, the narrowest range first.
_FLOAT_RANGES = ((0, 1), (-1, 1), (0, 255))


def check_value_range(value_range):
    """Checks that a value range is a pair of numbers, the lower one first.

    Raises:
        ValueError: If `value_range` is no such pair, or is not finite.
    """
    try:
        low, high = value_range
        is_range = -math.inf < low < high < math.inf
    except (TypeError, ValueError):
        is_range = False
    if not is_range:
        raise ValueError(
            "`value_range` must be the values of black and white, the lower "
            "one first, such as (0, 255), (0, 1) or (-1, 1). "
            f"Received: value_range={value_range!r}"
        )


def has_other_range(low, high, value_range):
    """Returns whether images look as if they had another value range.

    That is so if no value is more than one of 256 levels above black, as with
    images in (0, 1) under `(0, 255)`; if some are below black and all others
    are hardly above it, as with standardized images; or if values lie outside
    by the width of the range, as with images in (0, 255) under `(0, 1)`.
    Black images tell nothing.

    Args:
        low: Number, or tensor of shape `()`, the lowest value of the images.
        high: Number, or tensor of shape `()`, the highest value.
        value_range: Pair of numbers, the values of black and white.

    Returns:
        Boolean, or boolean tensor of shape `()`.

    Example:

    >>> has_other_range(0.0, 1.0, (0, 255))
    True
    >>> has_other_range(0.0, 3.0, (0, 255))
    False
    """
    black, white = value_range
    level = (white - black) / 255
    scaled = (high > black) & (high <= black + 1.001 * level)
    standardized = (low < black - level / 2) & (high < black + 8 * level)
    below = low <= black - 254 * level
    above = high >= white + 8 * 254 * level
    return scaled | standardized | below | above


def resolve_value_range(value_range, images, argument="images"):
    """Returns the values of black and white of images in an array.

    Without a `value_range`, images of uint8 have `(0, 255)`. Others have the
    narrowest of `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all values.

    Args:
        value_range: Pair of numbers, or `None` to find it out.
        images: Array of images. Its values are only read if they are needed.
        argument: String, the name of the argument that holds the images.

    Returns:
        Tuple of two numbers, black and white.

    Raises:
        ValueError: If `value_range` is no pair of numbers with the lower one
            first, or is `None` and none of the three ranges holds all values.

    Example:

    >>> resolve_value_range(None, np.zeros((2, 8, 8, 1), "uint8"))
    (0, 255)
    >>> resolve_value_range(None, np.full((2, 8, 8, 1), -0.5))
    (-1, 1)
    """
    if value_range is not None:
        check_value_range(value_range)
        return tuple(value_range)
    if images.dtype == np.uint8:
        return (0, 255)
    low, high = float(np.min(images)), float(np.max(images))
    for black, white in _FLOAT_RANGES:
        if black <= low and high <= white:
            return (black, white)
    raise ValueError(
        f"The values of `{argument}` do not tell what is black and what is "
        "white. Pass `value_range=(black, white)`. Received: "
        f"{argument} with values from {low:.4g} to {high:.4g}"
    )
