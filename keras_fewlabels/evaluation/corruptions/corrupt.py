import numpy as np

from keras_fewlabels.evaluation.checks import checked_images
from keras_fewlabels.evaluation.corruptions.change_batch import change_batch
from keras_fewlabels.foundation import check_choice, check_int


def corrupt(x, corruption, severity=3, *, value_range=None, seed=0):
    """Returns images as they look under a corruption.

    These are the images that `evaluate_corruptions` shows to a model, if the
    seed is the same.

    Args:
        x: Array of images of shape `(num_images, height, width, channels)`,
            32 pixels or larger, with 1 or 3 channels, of uint8 or floats;
            also memory-mapped, or `ImageFiles`.
        corruption: String, one of the names that `evaluate_corruptions`
            lists.
        severity: Integer, 1 to 5.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8, and for floats to the narrowest of
            `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all values.
        seed: Integer, 0 or more.

    Returns:
        Array of the shape, dtype and value range of `x`, with 256 levels.

    Raises:
        ValueError: If the images have another shape, dtype or value range, or
            if an argument is not as above.
        ImportError: If SciPy or Pillow is not installed.

    Example:

    >>> images = np.full((1, 32, 32, 3), 100, "uint8")
    >>> brighter = keras_fewlabels.evaluation.corrupt(images, "brightness", 5)
    >>> float(brighter.mean())  # By 0.3 of 255.
    177.0
    """
    from keras_fewlabels.evaluation.corruptions.kernels.by_name import (
        CORRUPTIONS,
    )

    check_choice(corruption, "corruption", CORRUPTIONS)
    check_int(severity, "severity", 1, most=5)
    check_int(seed, "seed", 0)
    images, value_range = checked_images(x, value_range)
    function, images = CORRUPTIONS[corruption], np.asarray(images)
    return change_batch(images, 0, severity, function, value_range, seed)
