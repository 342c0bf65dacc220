import numpy as np
from keras import ops

# Weights that are zero in a new model, whatever its seed.
_ZERO_AT_FIRST = ("bias", "beta", "moving_mean")


def was_trained(model):
    """Returns whether a model, or its backbone, has been trained before.

    New biases and moving means are zeros, and training changes them.

    Args:
        model: Built Keras model.

    Returns:
        Boolean, whether most of them are not zero. `False` for a model
        without biases and moving means.

    Example:

    >>> from keras_fewlabels.loops.noisy_student.is_pretrained import (
    ...     was_trained,
    ... )
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    >>> was_trained(model)
    False
    >>> model.set_weights([np.ones((2, 2)), np.ones(2)])
    >>> was_trained(model)
    True
    """
    changed = [
        bool(np.any(ops.convert_to_numpy(weight)))
        for weight in model.weights
        if weight.path.rsplit("/")[-1] in _ZERO_AT_FIRST
    ]
    return 2 * sum(changed) > len(changed)
