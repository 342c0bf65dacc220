"""The weak and the strong augmentation of the FixMatch family."""

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.augmentation import Augmentation
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip


def weak_view(value_range, flip=True, fill_value=None):
    """Returns a layer that flips and shifts images.

    Args:
        value_range: Pair of floats, the values of black and white.
        flip: Boolean, whether half of the images are flipped from left to
            right.
        fill_value: Optional float, the value that is moved in at the border.
            By default mid grey.

    Returns:
        A Keras layer that flips and shifts images, nearly all by less than
        an eighth of their size.
    """
    # Magnitude 1, as at 10 the shift would be 0.45 of the size.
    shift = RandAugment(
        2,
        1,
        value_range,
        ops=("translate_x", "translate_y"),
        # By whole pixels: interpolation blurs, which costs accuracy.
        interpolation="nearest",
        magnitude_std=0.5,
        fill_value=fill_value,
    )
    flips = [HorizontalFlip()] if flip else []
    return Augmentation([*flips, shift], name="weak_view")


def strong_view(value_range):
    """Returns a layer that flips, augments strongly and cuts a hole.

    Reference:
        - [Sohn et al., 2020](https://arxiv.org/abs/2001.07685), FixMatch:
          magnitudes are drawn anew for each op, which works better here than
          one magnitude for all.

    Args:
        value_range: Pair of floats, the values of black and white.

    Returns:
        A Keras layer.
    """
    return Augmentation(
        [
            HorizontalFlip(),
            RandAugment(2, 10, value_range, table="fixmatch"),
            RandAugment(1, 10, value_range, ("cutout",), table="fixmatch"),
        ],
        name="strong_view",
    )
