"""The noise that the settings of `fit_noisy_student` describe."""

import keras

from keras_fewlabels.layers import RandAugment

_SHIFTS = ("translate_x", "translate_y")


def strong_view(settings, value_range):
    """What the student sees: strong augmentation.

    Args:
        settings: Dict of settings.
        value_range: Pair of floats.

    Returns:
        A Keras layer.
    """
    layers = _flip(settings)
    if settings["num_ops"]:
        layers.append(
            RandAugment(
                settings["num_ops"],
                settings["magnitude"],
                value_range,
                ops=settings["ops"],
                fill_value=settings["fill_value"],
            )
        )
    if settings["cutout"]:
        layers.append(RandAugment(1, 10, value_range, ops=("cutout",)))
    return keras.Sequential(layers or [keras.layers.Identity()])


def weak_view(settings, value_range):
    """What the teacher sees: a flip and small shifts."""
    shift = RandAugment(
        2,
        1,
        value_range,
        ops=_SHIFTS,
        magnitude_std=0.5,
        fill_value=settings["fill_value"],
    )
    return keras.Sequential([*_flip(settings), shift])


def _flip(settings):
    if not settings["flip"]:
        return []
    return [keras.layers.RandomFlip("horizontal")]
