"""Weights from one model to another of the same layers."""

import keras
import numpy as np

from keras_fewlabels.foundation import flatten_layers


def copy_weights(source, target):
    """Gives a model or layer the weights of another of the same layers.

    Unlike `set_weights` alone, it also reaches `keras.layers.Normalization`,
    which predicts with constants that it computed from its weights earlier.

    Args:
        source: Built Keras model or layer.
        target: Built Keras model or layer with the same weights. Its layers
            may come in another order, as they do after stochastic depth was
            added. The names of the layers then tell the weights apart.

    Raises:
        ValueError: If the layers come in another order and two of them have
            the same name, or `target` has other weights.
    """
    # On JAX, arrays that two variables share cannot be donated to either.
    target.set_weights(
        [np.array(weight) for weight in _in_order_of(target, source)]
    )
    finalize_normalization(target)


def have_same_weights(model, other):
    """Returns whether two models have weights of the same shapes, in order."""
    return _shapes(model) == _shapes(other)


def finalize_normalization(model):
    """Makes `Normalization` layers compute their constants from the weights.

    Args:
        model: Built Keras model or layer, searched at any depth.
    """
    for layer in flatten_layers(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _in_order_of(target, source):
    """Returns the values of the source in the order of the target."""
    if have_same_weights(source, target) and not _is_reordered(source, target):
        return source.get_weights()
    paths = [weight.path for weight in source.weights]
    values = dict(zip(paths, source.get_weights(), strict=True))
    if len(values) < len(paths) or set(values) != {
        weight.path for weight in target.weights
    }:
        raise ValueError(
            "The layers of the student need names of their own, so that their "
            "weights can be found after stochastic depth was added. "
            f"Received: model={target.name!r}"
        )
    return [values[weight.path] for weight in target.weights]


def _shapes(model):
    return [tuple(weight.shape) for weight in model.weights]


def _is_reordered(source, target):
    names = [
        [weight.path.split("/")[-2:] for weight in model.weights]
        for model in (source, target)
    ]
    return sorted(names[0]) == sorted(names[1]) and names[0] != names[1]
