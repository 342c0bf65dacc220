"""Differences between classifiers, and their 95 % intervals."""

import dataclasses
import math

import numpy as np

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.foundation import Result

# 95 % of a normal distribution lie within this many deviations of its mean.
Z_95 = 1.959964


class Difference(Result):
    """A difference of two classifiers on `num_images` images.

    A dataclass that derives from it has a `difference` and its `interval`.
    """

    file_name = "verdict"

    @property
    def is_better(self):
        low, high = self.interval
        if low <= 0 <= high:
            return None
        return low > 0

    def to_dict(self):
        """Returns all numbers as a dict that JSON can hold."""
        return {
            **dataclasses.asdict(self),
            "difference": self.difference,
            "interval": list(self.interval),
            "is_better": self.is_better,
        }

    def __str__(self):
        low, high = self.interval
        points = self.difference
        words = {True: "better by", False: "worse by", None: "cannot tell:"}
        if self.is_better is False:
            points, low, high = -points, -high, -low
        return (
            f"{words[self.is_better]} {100 * points:.1f} points "
            f"({100 * low:.1f} to {100 * high:.1f}) on {self.num_images:,} "
            "images"
        )


@dataclasses.dataclass(frozen=True)
class Verdict(Difference):
    """The difference in accuracy of two classifiers on the same images.

    `what_changed(..., y=...)` returns it as its `verdict`. `print(verdict)`
    states it in a sentence, `verdict.to_dict()` returns it, and
    `verdict.save(folder)` writes `verdict.json`.

    Args:
        num_images: Int, the number of images.
        num_gained: Int, the number of images that only the second classifier
            has right.
        num_lost: Int, the number of images that only the first has right.

    Attributes:
        difference: Float, the accuracy of the second minus that of the first.
        interval: Pair of floats, the 95 % interval of the difference. It
            depends only on images that one of the two has right.
        is_better: `True`, `False`, or `None` if the interval contains 0, so
            that the images do not tell.

    Example:

    >>> from keras_fewlabels.evaluation.verdicts import Verdict
    >>> verdict = Verdict(100, 12, 2)
    >>> print(verdict)
    better by 10.0 points (2.6 to 17.0) on 100 images
    >>> verdict.is_better
    True
    """

    num_images: int
    num_gained: int
    num_lost: int

    @property
    def difference(self):
        return (self.num_gained - self.num_lost) / self.num_images

    @property
    def interval(self):
        # Agresti and Min, 2005: half an image more of each of four kinds
        # makes the interval valid for few images too.
        num_images = self.num_images + 2
        gained, lost = self.num_gained + 0.5, self.num_lost + 0.5
        middle = (gained - lost) / num_images
        variance = gained + lost - (gained - lost) ** 2 / num_images
        half = Z_95 * math.sqrt(variance) / num_images
        return max(-1.0, middle - half), min(1.0, middle + half)


def compare_predictions(before, after, y):
    """Compares the predictions of two classifiers.

    Args:
        before: Array of the predictions of the first: class numbers of shape
            `(num_images,)`, or scores of shape `(num_images, num_classes)`.
        after: Array of the predictions of the second for the same images.
        y: Array of the true classes, as numbers or one-hot rows. Neither of
            the two may have been trained or chosen on these images.

    Returns:
        A `Verdict`.

    Raises:
        ValueError: If the arrays differ in length, or are empty.

    Example:

    >>> from keras_fewlabels.evaluation.verdicts import compare_predictions
    >>> y = np.arange(100) % 2
    >>> before = np.where(np.arange(100) < 30, 1 - y, y)
    >>> print(compare_predictions(before, y, y))
    better by 30.0 points (20.4 to 38.5) on 100 images
    """
    before, after, y = (
        class_numbers(np.asarray(part)) for part in (before, after, y)
    )
    if not len(before) == len(after) == len(y) > 0:
        raise ValueError(
            "`before`, `after` and `y` must be of the same images, at least "
            f"one. Received: {len(before)}, {len(after)} and {len(y)}"
        )
    was_right, is_right = before == y, after == y
    return Verdict(
        len(y),
        int(np.sum(is_right & ~was_right)),
        int(np.sum(was_right & ~is_right)),
    )


def wilson_interval(num_right, num_images):
    """Returns the 95 % interval of an accuracy measured on few images.

    Unlike the mean plus or minus two standard errors, the interval stays
    between 0 and 1, and is not empty if all images are right.

    Reference:
        - [Wilson, 1927](https://doi.org/10.1080/01621459.1927.10502953).

    Args:
        num_right: Number of images that were right, from 0 to `num_images`.
        num_images: Int, the number of images, at least 1.

    Returns:
        Pair of floats, the lowest and highest accuracy in 0 to 1.

    Raises:
        ValueError: If `num_right` is not in 0 to `num_images`, or there is no
            image.

    Example:

    >>> from keras_fewlabels.evaluation.verdicts import wilson_interval
    >>> low, high = wilson_interval(45, 52)
    >>> f"87 % on 52 images is {low:.0%} to {high:.0%}"
    '87 % on 52 images is 75% to 93%'
    """
    if not 0 <= num_right <= num_images or not num_images:
        raise ValueError(
            "`num_right` must be from 0 to `num_images`, which is at least 1. "
            f"Received: num_right={num_right}, num_images={num_images}"
        )
    share, weight = num_right / num_images, Z_95**2 / num_images
    middle = (share + weight / 2) / (1 + weight)
    variance = share * (1 - share) / num_images + weight / (4 * num_images)
    half = Z_95 * math.sqrt(variance) / (1 + weight)
    low, high = np.clip([middle - half, middle + half], 0, 1)
    return float(low), float(high)


def accuracy_interval(accuracy, num_images, deviation=None):
    """Returns the 95 % interval of an accuracy, also one of several labels.

    Images that are right to a share are as good as a larger number of images
    that are right or wrong: one of which the accuracy has the same variance.

    Args:
        accuracy: Float in 0 to 1.
        num_images: Int, the number of images, at least 1.
        deviation: Optional float, the standard deviation of the accuracy
            among images that are right to a share. By default an image is
            right or wrong.

    Returns:
        Pair of floats, as of `wilson_interval`.

    Example:

    >>> from keras_fewlabels.evaluation.verdicts import accuracy_interval
    >>> low, high = accuracy_interval(0.9, 100, deviation=0.1)
    >>> f"{low:.0%} to {high:.0%}"
    '88% to 92%'
    """
    variance = accuracy * (1 - accuracy)
    if deviation is None or not variance:
        return wilson_interval(round(accuracy * num_images), num_images)
    # One image more that is right or wrong: few may agree by chance.
    found = (num_images * deviation**2 + variance) / (num_images + 1)
    equivalent = num_images * variance / found
    return wilson_interval(accuracy * equivalent, equivalent)
