import importlib

import numpy as np


def changed(images, first, version, function, value_range, seed):
    """Changes a batch of images of any range, wherever the batch begins.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        first: Integer, the number of the first image in the whole set.
        version: Integer, the severity or the frame.
        function: Function of float32 levels in 0 to 1, the version, and a
            random generator per image, that returns levels.
        value_range: Pair of floats, the values of black and white.
        seed: Integer, 0 or more.

    Returns:
        Array of the shape, dtype and range of `images`, with 256 levels.
    """
    low, high = value_range
    generators = [
        np.random.default_rng([seed, version, first + number])
        for number in range(len(images))
    ]
    # The same levels before and after, whatever the range and dtype.
    levels = np.rint((images.astype("float32") - low) * (255 / (high - low)))
    levels = function(levels / 255, version, generators)
    levels = np.rint(255 * np.clip(levels, 0, 1))
    return (low + levels * ((high - low) / 255)).astype(images.dtype)


def load_functions(module):
    """Imports functions that need SciPy and Pillow, which are optional.

    Args:
        module: String, a module of this folder that has `FUNCTIONS`.

    Returns:
        Dict of names to functions.

    Raises:
        ImportError: If SciPy or Pillow is not installed.
    """
    try:
        path = f"keras_fewlabels.evaluation.corruptions.kernels.{module}"
        return importlib.import_module(path).FUNCTIONS
    except ImportError as error:
        raise ImportError(
            "Images are corrupted by SciPy and Pillow, which are not both "
            'installed. Run `pip install "keras-fewlabels[evaluation]"`.'
        ) from error
