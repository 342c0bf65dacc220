"""Differences between classifiers of several labels per image."""

import dataclasses

import numpy as np

from keras_fewlabels.evaluation.mean_average_precision import (
    average_precisions,
)
from keras_fewlabels.evaluation.verdicts.verdict import Z_95, Difference

# Draws of images, each about as large as an array of this many numbers.
_NUM_DRAWS, _MAX_NUMBERS = 400, 2**23


@dataclasses.dataclass(frozen=True)
class PrecisionVerdict(Difference):
    """The difference in mean average precision of two classifiers.

    Decisions at a threshold would miss what a rare label is worth: "no" to
    all images is mostly right.

    Args:
        num_images: Int, the number of images.
        difference: Float, the mean average precision of the second less that
            of the first.
        interval: Pair of floats, the 95 % interval of the difference.

    Attributes:
        is_better: `True`, `False`, or `None` if the interval contains 0, so
            that the images do not tell.
        error: Float, the standard error of the difference.

    Example:

    >>> from keras_fewlabels.evaluation.verdicts import PrecisionVerdict
    >>> print(PrecisionVerdict(100, 0.1, (0.07, 0.13)))
    better by 10.0 points (7.0 to 13.0) on 100 images
    """

    num_images: int
    difference: float
    interval: tuple

    @property
    def error(self):
        low, high = self.interval
        return (high - low) / 2 / Z_95


def compare_precisions(before, after, truth, seed=0):
    """Compares the scores of two classifiers of several labels.

    The interval rests on draws of the images with replacement, the same ones
    for both classifiers (bootstrap).

    Args:
        before: Float array of shape `(num_images, num_labels)`, the scores of
            the first.
        after: Array likewise, those of the second for the same images.
        truth: Array of 0 and 1 likewise, the labels. Neither of the two may
            have been trained or chosen on these images.
        seed: Int that fixes the draws.

    Returns:
        A `PrecisionVerdict`, or `None` if no image has a label.

    Example:

    >>> from keras_fewlabels.evaluation.verdicts import compare_precisions
    >>> truth = np.random.default_rng(0).integers(0, 2, (100, 3))
    >>> compare_precisions(1 - truth, truth, truth).is_better
    True
    """
    truth = np.asarray(truth, bool)
    if not truth.any():
        return None
    count = len(truth)
    random = np.random.default_rng(seed)
    draws = max(2, min(_NUM_DRAWS, _MAX_NUMBERS // count))
    weights = random.multinomial(count, np.full(count, 1 / count), draws)
    # The images as they are come first.
    weights = np.concatenate([np.ones((1, count), int), weights])
    changes = average_precisions(after, truth, weights)
    changes -= average_precisions(before, truth, weights)
    changes = changes[~np.isnan(changes).all(axis=1)]
    difference, *drawn = np.nanmean(changes, axis=1)
    half = Z_95 * float(np.std(drawn))
    return PrecisionVerdict(
        num_images=count,
        difference=float(difference),
        interval=(
            max(-1.0, float(difference) - half),
            min(1.0, float(difference) + half),
        ),
    )
