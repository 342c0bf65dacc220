import keras

from keras_fewlabels.foundation.keras_internals import (
    flatten_layers,
    input_tensors_of_calls,
)

# How this package, keras.applications, keras-cv and keras-hub name such layers
# or, as `DINOV2DropPath`, end their names; and what they call the rate.
NAMES = ("StochasticDepth", "StochasticResidual", "DropPath")
RATES = ("rate", "drop_path_rate", "drop_prob")


def branch_droppers(model):
    """The layers of a model that drop residual branches already.

    Args:
        model: A `keras.Model`, searched at any depth.

    Returns:
        List of layers: those of the known names, and `Dropout` layers that
        draw once per sample.
    """
    return [layer for layer in flatten_layers(model) if _drops(layer)]


def takes_one_tensor(dropper):
    """Whether a branch dropper only passes its input on, if it is kept."""
    inputs = input_tensors_of_calls(dropper)
    return bool(inputs) and all(len(tensors) == 1 for tensors in inputs)


def _drops(layer):
    if not any(getattr(layer, name, 0) for name in RATES):
        return False
    if type(layer).__name__.endswith(NAMES):
        return True
    return (
        isinstance(layer, keras.layers.Dropout)
        and layer.noise_shape is not None
        and layer.noise_shape[0] != 1
        and all(size == 1 for size in layer.noise_shape[1:])
    )
