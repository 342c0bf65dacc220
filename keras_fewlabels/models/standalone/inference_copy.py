import keras

from keras_fewlabels.layers import (
    RandAugment,
    StochasticDepth,
    StochasticResidual,
)
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
from keras_fewlabels.layers.model_graph import graph_of
from keras_fewlabels.models.copy_weights import copy_weights
from keras_fewlabels.models.stochastic_depth.branch_droppers import (
    branch_droppers,
    takes_one_tensor,
)
from keras_fewlabels.models.stochastic_depth.residual_additions import is_graph


class InferenceCopy:
    """Copies a model without the layers that only training needs.

    What augments, adds noise or drops at random is left out;
    `StochasticDepth` and `StochasticResidual` become the sums that they are
    when a model predicts. Nested models stay nested, as functional models,
    and layers that are shared stay shared.

    Args:
        packages: Sequence of strings, packages besides Keras whose layers may
            stay.
    """

    def __init__(self, packages=()):
        self._packages = packages
        # Originals are kept with their copies, so that no `id` is used again.
        self._copies = {}

    def copy(self, model, name):
        """A functional model that predicts what another one predicts.

        Args:
            model: Built functional or `Sequential` model.
            name: String, the name of the copy.

        Returns:
            A functional model with copies of all weights, not compiled.

        Raises:
            ValueError: If a model has no graph to copy, or a layer would be
                left that Keras alone cannot load.
        """
        result = self._copy_graph(model, name)
        for original, copy in self._copies.values():
            if isinstance(original, keras.Layer) and not is_graph(original):
                copy_weights(original, copy)
        return result

    def _copy_graph(self, model, name):
        """The copy of a model, or `None` if no layer is left of it."""
        graph = graph_of(model)
        if graph is None:
            raise ValueError(
                "Only built functional and `Sequential` models have a graph "
                "of layers to copy. Build the model with a `keras.Input`; "
                "write a subclassed one as a functional model. "
                f"Received: model={model!r}"
            )
        inputs = keras.tree.map_structure(_copy_input, graph.input)
        outputs = graph._run_through_graph(
            inputs, operation_fn=lambda operation: operation, call_fn=self._call
        )
        if outputs is inputs:
            return None
        return keras.Model(inputs, outputs, name=name)

    def _call(self, operation, *args, **kwargs):
        if is_training_only(operation):
            return _as_the_layer_casts(operation, args[0])
        if isinstance(operation, keras.layers.Pipeline):
            return self._call_in_turn(operation.layers, args[0])
        if isinstance(operation, StochasticDepth):
            return self._add(operation, *_shortcut_and_branch(args[0]))
        if isinstance(operation, StochasticResidual):
            branch = self._call(operation.branch, args[0])
            return self._add(operation, args[0], branch)
        copy = self._copy_operation(operation)
        if copy is None:
            return args[0]
        # What a graph remembers is only the default of the layer; `predict`
        # overrides it, but what exports the graph may not.
        remembered = {"training": False} if "training" in kwargs else {}
        return copy(*args, **{**kwargs, **remembered})

    def _call_in_turn(self, operations, tensor):
        for operation in operations:
            tensor = self._call(operation, tensor)
        return tensor

    def _copy_operation(self, operation):
        if id(operation) not in self._copies:
            if is_graph(operation):
                copy = self._copy_graph(operation, operation.name)
            else:
                check_parts(operation, self._packages)
                copy = type(operation).from_config(operation.get_config())
            self._copies[id(operation)] = (operation, copy)
        return self._copies[id(operation)][1]

    def _add(self, layer, shortcut, branch):
        """What a layer that drops the branch gives when a model predicts."""
        keep_rate = 1 - layer.rate if layer.scale == "inference" else 1
        if keep_rate != 1:
            branch = self._in_place_of(
                layer,
                "scale",
                lambda **k: keras.layers.Rescaling(keep_rate, **k),
            )(branch)
        if shortcut is None:
            return branch
        return self._in_place_of(layer, "add", keras.layers.Add)(
            [shortcut, branch]
        )

    def _in_place_of(self, layer, role, make):
        """A layer of Keras, the same one each time that `layer` is called."""
        key = (id(layer), role)
        if key not in self._copies:
            made = make(name=f"{layer.name}_{role}", dtype=layer.dtype_policy)
            self._copies[key] = (None, made)
        return self._copies[key][1]


def _copy_input(tensor):
    # Left to itself, Keras names the copy after the tensor, not the layer.
    name = tensor._keras_history.operation.name
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)


def _shortcut_and_branch(inputs):
    return inputs if isinstance(inputs, (list, tuple)) else (None, inputs)


def _as_the_layer_casts(layer, tensor):
    # Layers of Keras make floats of integers on the way.
    if layer.autocast and tensor.dtype != layer.compute_dtype:
        return keras.ops.cast(tensor, layer.compute_dtype)
    return tensor


# Layers of Keras, beside those whose names start with "Random".
_NAMES = {
    *{"ActivityRegularization", "AlphaDropout", "AugMix", "CutMix", "Dropout"},
    *{"Equalization", "GaussianDropout", "GaussianNoise", "MixUp"},
    *{"RandAugment", "Solarization", "SpatialDropout1D", "SpatialDropout2D"},
    *{"SpatialDropout3D"},
}
# In some versions of Keras it crops in the middle when a model predicts.
_ALSO_IN_INFERENCE = {"RandomCrop"}


def is_training_only(operation):
    """Whether a layer hands on its input unchanged when a model predicts.

    Args:
        operation: A layer or another operation of a graph.

    Returns:
        Boolean. `True` for what augments images, adds noise or drops at
        random; `False` for layers of an unknown kind, and for those of
        keras-cv that augment, which do so in inference as well.
    """
    if not isinstance(operation, keras.Layer):
        return False
    package = type(operation).__module__.partition(".")[0]
    name = type(operation).__name__
    if package == "keras_fewlabels":
        return isinstance(operation, (HorizontalFlip, RandAugment))
    if package == "keras" and (name in _NAMES or name.startswith("Random")):
        return name not in _ALSO_IN_INFERENCE
    # A `DropPath` or the like, of whatever package.
    is_dropper = operation in branch_droppers(operation)
    return is_dropper and takes_one_tensor(operation)


def check_parts(operation, packages):
    """Refuses a layer that Keras alone, in safe mode, cannot load.

    Args:
        operation: A layer or another operation.
        packages: Sequence of strings, packages whose parts are no reason.

    Raises:
        ValueError: If it is, or has inside, a part of another package or code.
    """
    found = foreign_parts(keras.saving.serialize_keras_object(operation))
    if "code" in found:
        raise ValueError(
            "The classifier has code inside, which Keras does not load from a "
            "file. Write it with layers of Keras or `keras.ops`. "
            f"Received: layer {operation.name!r} with {found['code']}"
        )
    left = {name: found[name] for name in found if name not in packages}
    if left:
        raise ValueError(
            "The classifier has parts that Keras alone cannot load. Build it "
            "of layers of Keras; or name their packages in `packages`, if "
            "those who load the file have and import them. "
            f"Received: layer {operation.name!r} with {left}"
        )


def foreign_parts(config):
    """The parts of a config that need a package other than Keras.

    Args:
        config: What `keras.saving.serialize_keras_object` made.

    Returns:
        Dict of the names of packages to sorted lists of the names of their
        classes and functions. What is code of the user's, such as a `Lambda`
        layer, has the package `"code"`.
    """
    found = {}
    for package, name in _parts(config):
        if package != "keras":
            found.setdefault(package, set()).add(name)
    return {package: sorted(names) for package, names in found.items()}


def _parts(config):
    """The package and name of each part, at any depth."""
    if isinstance(config, (list, tuple)):
        for each in config:
            yield from _parts(each)
    if not isinstance(config, dict):
        return
    name = config.get("class_name")
    if name == "Lambda" or name == "__lambda__":
        yield "code", "Lambda"
    elif name == "function":
        package, has_package, function = str(config["config"]).partition(">")
        yield (package, function) if has_package else ("code", package)
    elif isinstance(name, str) and config.get("module"):
        yield config["module"].partition(".")[0], name
    for each in config.values():
        yield from _parts(each)
