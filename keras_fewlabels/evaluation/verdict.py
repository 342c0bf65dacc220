import dataclasses
import math

import numpy as np

# Half of 95 % of a normal distribution lies within so many deviations.
_DEVIATIONS = 1.959964


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether one classifier is better than another, on the same images.

    `compare_predictions` returns it; `print(verdict)` says it in a sentence.

    Args:
        num_images: Int, how many images both were measured on.
        num_gained: Int, how many of them only the second has right.
        num_lost: Int, how many only the first has right.

    Attributes:
        difference: Float, the accuracy of the second less that of the first.
        interval: Pair of floats, the 95 % interval of the difference. Images
            that both have right or wrong say nothing about it.
        is_better: `True`, `False`, or `None` if the interval contains 0 and
            nobody can tell.

    Example:

    >>> verdict = keras_fewlabels.evaluation.Verdict(100, 12, 2)
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
        # Agresti and Min, 2005: half an image more in each of four kinds
        # makes the interval hold for few images too.
        num_images = self.num_images + 2
        gained, lost = self.num_gained + 0.5, self.num_lost + 0.5
        middle = (gained - lost) / num_images
        variance = gained + lost - (gained - lost) ** 2 / num_images
        half = _DEVIATIONS * math.sqrt(variance) / num_images
        return max(-1.0, middle - half), min(1.0, middle + half)

    @property
    def is_better(self):
        low, high = self.interval
        if low <= 0 <= high:
            return None
        return low > 0

    def to_dict(self):
        """Returns all figures as a dict that JSON can hold."""
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


# Half of 95 % of a normal distribution lies within so many deviations.


def wilson_interval(num_right, num_images):
    """The 95 % interval of an accuracy that was measured on few images.

    Unlike the mean plus or minus two standard errors it stays between 0 and
    1, and has a width where all images are right.

    Reference:
        - [Wilson, 1927](https://doi.org/10.1080/01621459.1927.10502953).

    Args:
        num_right: Number of images that were right, from 0 to `num_images`.
        num_images: Int, on how many images it was measured, at least 1.

    Returns:
        Pair of floats, the lowest and highest accuracy in 0 to 1.

    Raises:
        ValueError: If that many images cannot be right.

    Example:

    >>> low, high = keras_fewlabels.evaluation.wilson_interval(45, 52)
    >>> f"87 % on 52 images is {low:.0%} to {high:.0%}"
    '87 % on 52 images is 75% to 93%'
    """
    if not 0 <= num_right <= num_images or not num_images:
        raise ValueError(
            "`num_right` must be from 0 to `num_images`, which is at least 1. "
            f"Received: num_right={num_right}, num_images={num_images}"
        )
    share, weight = num_right / num_images, _DEVIATIONS**2 / num_images
    middle = (share + weight / 2) / (1 + weight)
    variance = share * (1 - share) / num_images + weight / (4 * num_images)
    half = _DEVIATIONS * math.sqrt(variance) / (1 + weight)
    low, high = np.clip([middle - half, middle + half], 0, 1)
    return float(low), float(high)
