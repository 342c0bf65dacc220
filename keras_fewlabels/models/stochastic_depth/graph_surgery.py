import keras
import numpy as np

from keras_fewlabels.layers.stochastic_depth import StochasticDepth
from keras_fewlabels.models.copy_weights import finalize_normalization
from keras_fewlabels.models.stochastic_depth.residual_additions import is_graph


class GraphSurgery:
    """Copies a model while layers are taken out and drops put in.

    Args:
        drops: Dict of the `id` of an addition to the index of the input that
            is dropped at random, and the rate.
        removed: Set of the `id`s of layers whose input is passed on instead.
        seed: Optional int, from which each drop gets a seed of its own.
    """

    def __init__(self, drops, removed, seed=None):
        self._drops = drops
        self._removed = removed
        self._seed = seed
        self._layers = {}
        self._copies = {}
        self._originals = {}

    def copy(self, model):
        """A functional or `Sequential` model's copy, with equal weights."""
        result = self._copy_operation(model)
        # What holds others is copied after them, and sets all their flags.
        for original, copy in reversed(self._copies.values()):
            if is_graph(original):
                copy.trainable = original.trainable
            elif isinstance(original, keras.Layer):
                _copy_state(original, copy)
        return result

    def _copy_operation(self, operation):
        if id(operation) not in self._copies:
            if is_graph(operation):
                copy = self._copy_graph(operation)
            else:
                copy = type(operation).from_config(operation.get_config())
            self._copies[id(operation)] = (operation, copy)
            self._originals[id(copy)] = operation
        return self._copies[id(operation)][1]

    def _copy_graph(self, model):
        if isinstance(model, keras.Sequential):
            return keras.models.clone_model(
                model, clone_function=self._copy_operation
            )
        return keras.models.clone_model(
            model,
            input_tensors=keras.tree.map_structure(_copy_input, model.input),
            clone_function=self._copy_operation,
            call_function=self._call,
        )

    def _call(self, operation, *args, **kwargs):
        key = id(self._originals[id(operation)])
        if key in self._removed:
            return args[0]
        if key in self._drops:
            args = self._with_drop(operation, args, *self._drops[key])
        return operation(*args, **kwargs)

    def _with_drop(self, addition, args, index, rate):
        # A layer takes one list, the operation of `a + b` two arguments.
        is_list = isinstance(args[0], (list, tuple))
        inputs = list(args[0] if is_list else args)
        if addition not in self._layers:
            number = len(self._layers)
            self._layers[addition] = StochasticDepth(
                rate,
                seed=None if self._seed is None else self._seed + number,
                name=f"{addition.name}_stochastic_depth",
                dtype=inputs[index].dtype,
            )
        inputs[index] = self._layers[addition](inputs[index])
        return (inputs,) if is_list else tuple(inputs)


def _copy_input(tensor):
    # Left to itself, Keras names the copy after the tensor, not the layer.
    name = tensor._keras_history.operation.name
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)


def _copy_state(original, copy):
    layers = (layer._flatten_layers() for layer in (original, copy))
    for theirs, ours in zip(*layers, strict=True):
        ours.trainable = theirs.trainable
    for theirs, ours in zip(original.weights, copy.weights, strict=True):
        # On JAX, arrays that two variables share cannot be donated to either.
        ours.assign(np.array(keras.ops.convert_to_numpy(theirs)))
        ours.trainable = theirs.trainable
    finalize_normalization(copy)
