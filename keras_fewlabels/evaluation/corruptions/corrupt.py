from keras_fewlabels.evaluation.checks import (
    as_array,
    check_images,
    check_names,
    check_severities,
)
from keras_fewlabels.evaluation.corruptions.changed import (
    changed,
    load_functions,
)
from keras_fewlabels.foundation.arguments import check_int


def corrupt(x, corruption, severity=3, value_range=None, seed=0):
    """Returns images as they look under a corruption.

    To look at what `evaluate_corruptions` shows to a model: image for image
    the same, if the seed is.

    Args:
        x: Array of images of shape `(num_images, height, width, channels)`,
            32 pixels or larger, with 1 or 3 channels, of uint8 or floats.
        corruption: String, one of the names that `evaluate_corruptions`
            lists.
        severity: Integer, 1 to 5.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8; floats need it.
        seed: Integer, 0 or more.

    Returns:
        Array of the shape, dtype and value range of `x`, with 256 levels.

    Raises:
        ValueError: If the images or an argument are not as above.
        ImportError: If SciPy or Pillow is not installed.

    Example:

    >>> images = np.full((1, 32, 32, 3), 100, "uint8")
    >>> brighter = keras_fewlabels.evaluation.corrupt(images, "brightness", 5)
    >>> float(brighter.mean())  # By 0.3 of 255.
    177.0
    """
    functions = load_functions("by_name")
    check_names([corruption], functions, "corruption")
    check_severities([severity])
    check_int(seed, "seed", 0)
    images = as_array(x, "x")
    value_range = check_images(images, value_range)
    return changed(
        images, 0, severity, functions[corruption], value_range, seed
    )
