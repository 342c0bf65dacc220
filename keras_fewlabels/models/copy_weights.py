import keras
import numpy as np


def copy_weights(source, target):
    """Gives a model or layer the weights of another of the same layers.

    Unlike `set_weights` alone, it also reaches `keras.layers.Normalization`,
    which predicts with constants that it made of its weights earlier.

    Args:
        source: Built Keras model or layer.
        target: Built Keras model or layer with the same weights, in the same
            order.
    """
    # On JAX, arrays that two variables share cannot be donated to either.
    target.set_weights([np.array(weight) for weight in source.get_weights()])
    finalize_normalization(target)


def finalize_normalization(model):
    """Lets `Normalization` layers know of the weights they were given.

    Args:
        model: Built Keras model or layer, searched at any depth.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
