"""The noise that the settings of `fit_noisy_student` describe."""

import keras

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
from keras_fewlabels.models import augmented_views


def strong_view(settings, value_range):
    """What the student sees: strong augmentation.

    Args:
        settings: Dict of settings.
        value_range: Pair of floats.

    Returns:
        A Keras layer.
    """
    layers = []
    if settings["flip"]:
        layers.append(HorizontalFlip())
    table = settings["table"]
    if settings["num_ops"]:
        layers.append(
            RandAugment(
                settings["num_ops"],
                settings["magnitude"],
                value_range,
                ops=settings["ops"],
                fill_value=settings["fill_value"],
                table=table,
            )
        )
    if settings["cutout"]:
        layers.append(RandAugment(1, 10, value_range, ("cutout",), table=table))
    return keras.Sequential(layers or [keras.layers.Identity()])


def weak_view(settings, value_range):
    """What an averaged teacher sees: a flip and small shifts.

    Args:
        settings: Dict of settings.
        value_range: Pair of floats.

    Returns:
        A Keras layer.
    """
    return augmented_views.weak_view(
        value_range, settings["flip"], settings["fill_value"]
    )
