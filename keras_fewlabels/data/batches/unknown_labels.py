"""Labels of an image that are not known, beside others of it that are.

An image with several labels may be sure of some of them alone. Each row of
labels keeps an entry for all, so an unknown one has a number that no label can
have. The number also tells which answer is the likelier one.
"""

import numpy as np
from keras import ops

# An unknown label that is more likely false, or true.
_NO, _YES = -1, 2


def mark_unknown(labels, known):
    """Marks the labels that are not known.

    Args:
        labels: Array of shape `(batch, num_labels)`, numbers from 0 to 1.
        known: Boolean array of the same shape.

    Returns:
        Array of the same shape: the labels that are known, and -1 or 2 for
        others, which are more likely false or true.

    Example:

    >>> from keras_fewlabels.data.batches import unknown_labels
    >>> unknown_labels.mark_unknown(
    ...     np.array([[1, 0, 1]]), np.array([[True, False, False]])
    ... )
    array([[ 1, -1,  2]])
    """
    return np.where(known, labels, np.where(labels > 0.5, _YES, _NO))


def are_known(labels):
    """Returns a boolean tensor, which labels of marked rows are known."""
    return ops.logical_and(labels >= 0, labels <= 1)


def likelier_answers(labels):
    """Returns marked rows with the likelier answer for unknown labels."""
    return ops.clip(labels, 0, 1)
