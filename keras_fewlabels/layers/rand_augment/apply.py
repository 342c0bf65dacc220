"""Application of the draws of `RandAugment` to images."""

import keras
import numpy as np
from keras import ops

from keras_fewlabels.layers.rand_augment.checks import check_output
from keras_fewlabels.layers.rand_augment.executor import execute


def apply_draws(layer, images, draws):
    """Applies to each image the ops it drew, one slot after the other.

    Args:
        layer: The `RandAugment` whose settings apply.
        images: A tensor of shape `(batch, height, width, channels)`, of uint8
            or of floats in the layer's `value_range`.
        draws: The `Draws` of these images.

    Returns:
        A tensor of the shape, dtype and value range of `images`.

    Example:

    >>> from keras_fewlabels.layers.rand_augment.draws import Draws
    >>> layer = keras_fewlabels.layers.RandAugment(1, ops=["invert"])
    >>> zeros = np.zeros((1, 1), "int32")
    >>> draws = Draws(zeros, zeros, np.zeros((1, 1)), np.zeros((1, 1, 2)))
    >>> images = keras.ops.full((1, 1, 1, 1), 55, "uint8")
    >>> int(apply_draws(layer, images, draws)[0, 0, 0, 0])
    200
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype == "uint8":
        return _apply(layer, images, draws)
    levels = _apply(layer, _to_levels(images, layer.value_range), draws)
    # Images that only drew the identity are not even rounded.
    identity = [op == "identity" for op in layer.ops]
    same = ops.take(np.array([*identity, True]), draws.choice)
    same = ops.all(same, axis=1)[:, None, None, None]
    augmented = _from_levels(levels, layer.value_range, dtype)
    return ops.where(same, images, augmented)


def _apply(layer, levels, draws):
    layers = {
        position: op
        for position, op in enumerate(layer.ops)
        if isinstance(op, keras.layers.Layer)
    }
    if not layers:
        return _apply_named(layer, levels, draws, slice(None))
    for slot in range(layer.num_ops):
        levels = _apply_named(layer, levels, draws, slice(slot, slot + 1))
        images = _from_levels(levels, layer.value_range, "float32")
        for position, op in layers.items():
            output = op(images, training=True)
            check_output(op, images, output)
            here = (draws.choice[:, slot] == position)[:, None, None, None]
            output = _to_levels(output, layer.value_range)
            levels = ops.where(here, output, levels)
    return levels


def _apply_named(layer, levels, draws, slots):
    fill = 128
    if layer.fill_value is not None:
        low, high = layer.value_range
        fill = round((layer.fill_value - low) * 255 / (high - low))
    return execute(
        levels,
        layer.draw.names,
        draws.position[:, slots],
        draws.strength[:, slots],
        draws.center[:, slots],
        fill,
        layer.interpolation,
    )


def _to_levels(images, value_range):
    low, high = value_range
    levels = (ops.cast(images, "float32") - low) * (255 / (high - low))
    return ops.cast(ops.clip(ops.round(levels), 0, 255), "uint8")


def _from_levels(levels, value_range, dtype):
    low, high = value_range
    images = ops.cast(levels, "float32") * ((high - low) / 255) + low
    return ops.cast(images, dtype)
