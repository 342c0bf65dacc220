"""Differences between classifiers where all classes count alike."""

import dataclasses
import math

import numpy as np

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.evaluation.verdicts.verdict import Z_95, Difference


@dataclasses.dataclass(frozen=True)
class BalancedVerdict(Difference):
    """The difference in balanced accuracy of two classifiers.

    Args:
        num_images: Int, the number of images.
        difference: Float, the balanced accuracy of the second less that of
            the first.
        interval: Pair of floats, the 95 % interval of the difference.

    Attributes:
        is_better: `True`, `False`, or `None` if the interval contains 0, so
            that the images do not tell.

    Example:

    >>> from keras_fewlabels.evaluation.verdicts import BalancedVerdict
    >>> print(BalancedVerdict(100, 0.1, (0.07, 0.13)))
    better by 10.0 points (7.0 to 13.0) on 100 images
    """

    num_images: int
    difference: float
    interval: tuple


def compare_recalls(before, after, y):
    """Compares two classifiers by the mean of their accuracies on each class.

    The variances of all classes add up. Of one class, the interval is that of
    a `Verdict`.

    Args:
        before: Array of the predictions of the first: class numbers of shape
            `(num_images,)`, or scores of shape `(num_images, num_classes)`.
        after: Array of the predictions of the second for the same images.
        y: Array of the true classes, as numbers or one-hot rows. Neither of
            the two may have been trained or chosen on these images.

    Returns:
        A `BalancedVerdict`.

    Example: the second classifier gives 18 of 90 images of a frequent class
    to a rare one, and knows all 10 of that.

    >>> from keras_fewlabels.evaluation.verdicts import compare_recalls
    >>> y = np.repeat([0, 1], [90, 10])
    >>> before, after = np.zeros(100, int), np.ones(100, int)
    >>> after[:72] = 0
    >>> verdict = compare_recalls(before, after, y)
    >>> verdict.difference, verdict.is_better
    (0.4, True)
    """
    before, after, y = (
        class_numbers(np.asarray(part)) for part in (before, after, y)
    )
    changes = (after == y).astype(int) - (before == y)
    _, y, counts = np.unique(y, return_inverse=True, return_counts=True)
    num_classes = len(counts)
    sums = np.bincount(y, changes)
    # Agresti and Min, as in `Verdict`, but once for all classes: two images
    # more in each would pull the mean of many small classes to 0.
    more = counts + 2 / num_classes
    means = sums / more
    num_changed = np.bincount(y, np.abs(changes)) + 1 / num_classes
    # The squared mean of few images is too large by a share of their variance.
    squares = means**2 * (1 - (1 - 1 / num_classes) / counts)
    variances = (num_changed - more * squares) / more**2
    middle = float(means.mean())
    half = Z_95 * math.sqrt(variances.sum()) / num_classes
    return BalancedVerdict(
        num_images=len(y),
        difference=float((sums / counts).mean()),
        interval=(max(-1.0, middle - half), min(1.0, middle + half)),
    )
