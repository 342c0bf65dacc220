import math

import numpy as np

# Half of 95 % of a normal distribution lies within so many deviations.
_DEVIATIONS = 1.959964


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
