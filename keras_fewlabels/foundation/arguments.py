"""What the numbers of an argument may be."""

import math
import numbers


def check_int(value, argument, least=1):
    """Refuses what is no whole number, or too small a one.

    Args:
        value: What should be an int.
        argument: String, how the caller calls it.
        least: Int, the smallest value.

    Raises:
        ValueError: If it is no int of at least `least`.
    """
    is_int = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not (is_int and value >= least):
        raise ValueError(
            f"`{argument}` must be an int, {least} or more. "
            f"Received: {argument}={value!r}"
        )


def check_seed(seed):
    """Refuses what is neither `None` nor an int of at least 0."""
    if seed is not None:
        check_int(seed, "seed", 0)


def check_value_range(value_range):
    """Refuses what are not the values of black and white.

    Args:
        value_range: What should be a pair of numbers, the lower one first.

    Raises:
        ValueError: If it is no such pair.
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
