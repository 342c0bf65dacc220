import itertools

import numpy as np


def rand_augment_settings(num_ops, magnitudes, max_trials, seed):
    """The settings that a search tries: a grid, or a draw from it.

    Args:
        num_ops: Sequence of ints above 0.
        magnitudes: Sequence of numbers.
        max_trials: Int, 2 or more.
        seed: Int.

    Returns:
        List of at most `max_trials` pairs `(num_ops, magnitude)`, the first
        of which is `(0, 0)`, no augmentation.

    Raises:
        ValueError: If there is nothing to try, or 0 among `num_ops`.

    Example:

    >>> from keras_fewlabels.loops.rand_augment_settings import (
    ...     rand_augment_settings,
    ... )
    >>> rand_augment_settings([1, 2], [5], max_trials=10, seed=0)
    [(0, 0), (1, 5), (2, 5)]
    """
    if not isinstance(max_trials, int) or max_trials < 2:
        raise ValueError(
            "`max_trials` must be an int, 2 or more: the first trial is "
            f"without augmentation. Received: max_trials={max_trials}"
        )
    are_lists = np.iterable(num_ops) and np.iterable(magnitudes)
    grid = itertools.product(num_ops, magnitudes) if are_lists else ()
    grid = list(dict.fromkeys(grid))
    if not grid or any(count == 0 for count, _ in grid):
        raise ValueError(
            "`num_ops` and `magnitudes` must be lists of one value or more, "
            "and `num_ops` none of 0, which is always tried. "
            f"Received: num_ops={num_ops}, magnitudes={magnitudes}"
        )
    if len(grid) >= max_trials:
        order = np.random.default_rng(seed).permutation(len(grid))
        grid = [grid[number] for number in sorted(order[: max_trials - 1])]
    return [(0, 0), *grid]
