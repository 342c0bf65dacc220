import numpy as np


def change_batch(images, first, version, function, value_range, seed):
    """Applies a corruption or perturbation to a batch of images.

    An image is changed in the same way wherever the batch begins.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        first: Integer, the position of the first image in the whole set.
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
        np.random.default_rng([seed, version, first + offset])
        for offset in range(len(images))
    ]
    # The same levels before and after, whatever the range and dtype.
    levels = np.rint((images.astype("float32") - low) * (255 / (high - low)))
    levels = function(levels / 255, version, generators)
    levels = np.rint(255 * np.clip(levels, 0, 1))
    return (low + levels * ((high - low) / 255)).astype(images.dtype)
