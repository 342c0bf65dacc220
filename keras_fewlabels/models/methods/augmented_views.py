"""The weak and the strong view of an image, as the FixMatch family has them."""

import keras

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip


def weak_view(value_range, flip=True, fill_value=None):
    """Flips and shifts, after which an image is as easy to recognise.

    Args:
        value_range: Pair of floats, the values of black and white.
        flip: Boolean, whether half of the images are flipped from left to
            right.
        fill_value: Optional float, what comes in at the border. By default
            mid grey.

    Returns:
        A Keras layer that flips and shifts images, nearly all by less than
        an eighth of their size.
    """
    # At magnitude 10 the shift would be 0.45 of the size.
    shift = RandAugment(
        2,
        1,
        value_range,
        ops=("translate_x", "translate_y"),
        # By whole pixels: what lies between is blurred, which costs accuracy.
        interpolation="nearest",
        magnitude_std=0.5,
        fill_value=fill_value,
    )
    flips = [HorizontalFlip()] if flip else []
    return keras.Sequential([*flips, shift], name="weak_view")


def strong_view(value_range):
    """A flip, two ops of any strength and a hole in each image.

    Reference:
        - [Sohn et al., 2020](https://arxiv.org/abs/2001.07685), FixMatch:
          magnitudes are drawn anew for each op, which works better here than
          one for all.

    Args:
        value_range: Pair of floats, the values of black and white.

    Returns:
        A Keras layer.
    """
    return keras.Sequential(
        [
            HorizontalFlip(),
            RandAugment(2, 10, value_range, table="fixmatch"),
            RandAugment(1, 10, value_range, ("cutout",), table="fixmatch"),
        ],
        name="strong_view",
    )
