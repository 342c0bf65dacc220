"""The weak and the strong view of an image, as the FixMatch family has them."""

import keras

from keras_fewlabels.layers import RandAugment


def weak_view(value_range):
    """Flips and shifts, after which an image is as easy to recognise.

    Args:
        value_range: Pair of floats, the values of black and white.

    Returns:
        A Keras layer that flips half of the images from left to right and
        shifts all of them, most by less than an eighth of their size.
    """
    # At magnitude 10 the shift would be 0.45 of the size.
    shift = RandAugment(
        2,
        1,
        value_range,
        ops=("translate_x", "translate_y"),
        # By whole pixels: what lies between is blurred, which costs accuracy.
        interpolation="nearest",
        magnitude_std=1,
    )
    return keras.Sequential(
        [keras.layers.RandomFlip("horizontal"), shift], name="weak_view"
    )


def strong_view(value_range):
    """A flip, two strong ops and a hole in each image.

    Args:
        value_range: Pair of floats, the values of black and white.

    Returns:
        A Keras layer.
    """
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            RandAugment(2, 10, value_range),
            RandAugment(1, 10, value_range, ops=("cutout",)),
        ],
        name="strong_view",
    )
