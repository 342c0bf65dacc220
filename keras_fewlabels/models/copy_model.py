import contextlib
import inspect

import keras
import numpy as np

from keras_fewlabels.foundation import (
    check_called,
    compile_settings,
    copy_input,
    flatten_layers,
    input_shape_of,
    is_graph,
    run_through_graph,
)
from keras_fewlabels.models.copy_weights import (
    copy_weights,
    finalize_normalization,
    have_same_weights,
)

# The side of the images that build a model for images of any size.
_ANY_SIZE = 64


def copy_model(model):
    """Returns a copy of a built Keras model, with weights of its own.

    It is compiled, with a fresh optimizer, if the model is.

    Raises:
        ValueError: If the model does with images what its copy would not do,
            it is of a class that Keras cannot copy, or a metric has no config.
    """
    check_called(model, "model")
    try:
        with _uncompiled(model):
            if is_graph(model):
                copy = keras.models.clone_model(model)
            else:
                copy = _copy_of_subclassed(model)
        is_same = have_same_weights(model, copy)
        reason = "the copy has other weights"
    except (NotImplementedError, TypeError, ValueError) as error:
        is_same, reason = False, str(error).strip().partition("\n")[0]
    if not is_same:
        raise ValueError(
            "The model is copied, so its class must have a `get_config()` "
            "with all arguments of its `__init__`, and build the same weights "
            "from them. Or write it as a functional model. "
            f"Received: model={model.name!r} of class {type(model).__name__} "
            f"({reason})"
        )
    copy_weights(model, copy)
    _compile_like(model, copy)
    return copy


@contextlib.contextmanager
def _uncompiled(model):
    """Lets Keras copy a model alone, without what it is compiled with."""
    compiled, model.compiled = model.compiled, False
    try:
        yield
    finally:
        model.compiled = compiled


def _compile_like(model, copy):
    """Compiles a copy with the settings of a model, and a fresh optimizer."""
    if not model.compiled:
        return
    try:
        copy.compile_from_config(model.get_compile_config())
    except (TypeError, ValueError):
        # Keras does not find a loss or metric that is not registered.
        settings = compile_settings(model)
        copy.compile(**keras.tree.map_structure(_fresh, settings))
        copy.optimizer.build(copy.trainable_variables)


def _fresh(setting):
    """Returns a new optimizer or metric, and everything else as it is."""
    if not isinstance(setting, keras.Optimizer | keras.Metric):
        return setting
    try:
        return type(setting).from_config(setting.get_config())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(
            "Optimizer and metrics are copied with the model, so the class of "
            "each must have a `get_config()` with all arguments of its "
            f"`__init__`. Received: {setting!r} ({error})"
        ) from None


def _copy_of_subclassed(model):
    """Returns a built model of the same class, with the same flags."""
    kind = type(model)
    if kind.get_config.__module__.partition(".")[0] != "keras":
        copy = keras.models.clone_model(model)
    elif any(
        parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in list(
            inspect.signature(kind.__init__).parameters.values()
        )[1:]
    ):
        # Keras would leave out these arguments, and take their defaults.
        raise NotImplementedError("its class has no `get_config()`")
    else:
        copy = kind()
    # What builds a subclassed model is its first call.
    _, *sizes = input_shape_of(model)
    copy(keras.ops.zeros([1, *(size or _ANY_SIZE for size in sizes)]))
    for ours, theirs in zip(
        flatten_layers(copy), flatten_layers(model), strict=True
    ):
        ours.trainable = theirs.trainable
    return copy


class GraphCopy:
    """Copies a functional or `Sequential` model, perhaps with other layers.

    Layers that are shared stay shared, and nested models stay nested.
    Subclasses override `call` to put something in the place of a layer, or
    `copy_layer` to leave a layer out.
    """

    def __init__(self):
        # Originals are kept with their copies, so that no `id` is used again.
        self._copies = {}

    def copy(self, model):
        """Returns a copy of a model, with its weights and trainable flags.

        Args:
            model: Built functional or `Sequential` model.

        Returns:
            A model of the same class if that has the constructor of
            `keras.Model`. It is compiled, with a fresh optimizer, if `model`
            was.

        Raises:
            ValueError: If the model does with images what its copy would not
                do.
        """
        check_called(model, "model")
        result = self.copied(model)
        # Nested models come after their layers, whose flags they overwrite.
        for original, copy in reversed(self._copies.values()):
            if copy is None:
                continue
            if is_graph(original):
                copy.trainable = original.trainable
            elif isinstance(original, keras.Layer):
                _copy_state(original, copy)
        return result

    def copied(self, operation):
        """Returns the copy of a layer, an operation or a nested model.

        It is the same one each time; `None` if the operation is left out.
        """
        if id(operation) not in self._copies:
            make = self.copy_graph if is_graph(operation) else self.copy_layer
            self._copies[id(operation)] = (operation, make(operation))
        return self._copies[id(operation)][1]

    def copy_layer(self, operation):
        """Returns a new layer or operation, or `None` to leave it out."""
        return type(operation).from_config(operation.get_config())

    def copy_graph(self, model):
        """Returns a new model, or `None` if no layer of it is left."""
        if isinstance(model, keras.Sequential):
            return self._copy_sequential(model)
        inputs = keras.tree.map_structure(copy_input, model.input)
        outputs = run_through_graph(model, inputs, self.call)
        kind = type(model) if _is_made_of_tensors(type(model)) else keras.Model
        result = kind(inputs, outputs, name=model.name)
        _compile_like(model, result)
        return result

    def call(self, operation, *args, **kwargs):
        """Returns the outputs of the copy where the original calls a layer.

        Args:
            operation: Layer, operation or nested model of the original.
            *args: Arguments of the call, with tensors of the copy.
            **kwargs: Keyword arguments of the call.
        """
        copy = self.copied(operation)
        return args[0] if copy is None else copy(*args, **kwargs)

    def _copy_sequential(self, model):
        copies = map(self.copied, model.layers)
        layers = [copy for copy in copies if copy is not None]
        if not layers:
            return None
        inputs = map(copy_input, model.inputs) if model.built else ()
        result = keras.Sequential([*inputs, *layers], name=model.name)
        _compile_like(model, result)
        return result


def _is_made_of_tensors(kind):
    """Returns whether a class of models has the constructor of a graph.

    `keras.models.clone_model` of Keras 3.12 takes each constructor without
    positional arguments for one, such as those of keras-cv's backbones.
    """
    spec = inspect.getfullargspec(inspect.unwrap(kind.__init__))
    takes_all = spec.varargs is not None and spec.varkw is not None
    return takes_all or spec.args[1:4] == ["inputs", "outputs", "name"]


def _copy_state(original, copy):
    layers = map(flatten_layers, (original, copy))
    for theirs, ours in zip(*layers, strict=True):
        ours.trainable = theirs.trainable
    for theirs, ours in zip(original.weights, copy.weights, strict=True):
        # On JAX, arrays that two variables share cannot be donated to either.
        ours.assign(np.array(keras.ops.convert_to_numpy(theirs)))
        ours.trainable = theirs.trainable
    finalize_normalization(copy)
