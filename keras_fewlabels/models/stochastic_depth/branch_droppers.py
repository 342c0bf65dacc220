import keras

from keras_fewlabels.foundation import flatten_layers, input_tensors_of_calls

# The names of such layers end so in this package, keras.applications, keras-cv
# and keras-hub.
_NAMES = ("StochasticDepth", "StochasticResidual", "DropPath")
_RATES = ("rate", "drop_path_rate", "drop_prob")


def branch_droppers(model):
    """Returns the layers of a model that drop residual branches.

    Args:
        model: A `keras.Model`, searched at any depth.

    Returns:
        List of layers: those with one of the usual names, and `Dropout`
        layers that draw once per sample.
    """
    return [layer for layer in flatten_layers(model) if _drops(layer)]


def takes_one_tensor(dropper):
    """Returns whether a branch dropper has one input, and adds no shortcut."""
    inputs = input_tensors_of_calls(dropper)
    return bool(inputs) and all(len(tensors) == 1 for tensors in inputs)


def _drops(layer):
    if not any(getattr(layer, name, 0) for name in _RATES):
        return False
    if type(layer).__name__.endswith(_NAMES):
        return True
    return (
        isinstance(layer, keras.layers.Dropout)
        and layer.noise_shape is not None
        and layer.noise_shape[0] != 1
        and all(size == 1 for size in layer.noise_shape[1:])
    )
