"""Copies of models for prediction, made of layers of Keras."""

import keras

from keras_fewlabels.foundation import copy_input, graph_of, run_through_graph
from keras_fewlabels.layers import (
    RandAugment,
    StochasticDepth,
    StochasticResidual,
)
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
from keras_fewlabels.models.copy_model import GraphCopy
from keras_fewlabels.models.standalone.foreign_parts import check_parts
from keras_fewlabels.models.stochastic_depth.branch_droppers import (
    branch_droppers,
    takes_one_tensor,
)

# Layers of Keras, besides those whose names start with "Random".
_TRAINING_ONLY = {
    *{"ActivityRegularization", "AlphaDropout", "AugMix", "CutMix", "Dropout"},
    *{"Equalization", "GaussianDropout", "GaussianNoise", "MixUp"},
    *{"RandAugment", "Solarization", "SpatialDropout1D", "SpatialDropout2D"},
    *{"SpatialDropout3D"},
}
# In some versions of Keras it crops in the middle when a model predicts.
_ALSO_IN_INFERENCE = {"RandomCrop"}


class InferenceCopy(GraphCopy):
    """Copies a model without the layers that only training needs.

    Layers that augment, add noise or drop at random are left out.
    `StochasticDepth` and `StochasticResidual` become the sums that they
    compute when a model predicts. Nested models become functional models.
    The copy is not compiled.

    Args:
        packages: Sequence of strings, packages besides Keras whose layers may
            stay.

    Raises:
        ValueError: From `copy()`, if a model has no graph, or a layer would
            be left that Keras alone cannot load.
    """

    def __init__(self, packages=()):
        super().__init__()
        self._packages = packages

    def copy_layer(self, operation):
        check_parts(operation, self._packages)
        return super().copy_layer(operation)

    def copy_graph(self, model):
        graph = graph_of(model)
        if graph is None:
            raise ValueError(
                "Only built functional and `Sequential` models have a graph "
                "of layers to copy. Build the model with a `keras.Input`; "
                "write a subclassed one as a functional model. "
                f"Received: model={model!r}"
            )
        inputs = keras.tree.map_structure(copy_input, graph.input)
        outputs = run_through_graph(graph, inputs, self.call)
        if outputs is inputs:
            return None
        return keras.Model(inputs, outputs, name=model.name)

    def call(self, operation, *args, **kwargs):
        if is_training_only(operation):
            return _cast_as(operation, args[0])
        if isinstance(operation, keras.layers.Pipeline):
            tensor = args[0]
            for layer in operation.layers:
                tensor = self.call(layer, tensor)
            return tensor
        if isinstance(operation, StochasticDepth):
            is_pair = isinstance(args[0], (list, tuple))
            shortcut, branch = args[0] if is_pair else (None, args[0])
            return self._add(operation, shortcut, branch)
        if isinstance(operation, StochasticResidual):
            branch = self.call(operation.branch, args[0])
            return self._add(operation, args[0], branch)
        if "training" in kwargs:
            # The graph remembers it only as the default of the layer, which
            # `predict` overrides. An export of the graph may not.
            kwargs["training"] = False
        return super().call(operation, *args, **kwargs)

    def _add(self, layer, shortcut, branch):
        """Adds a branch as a layer that drops branches does in inference."""
        keep_rate = 1 - layer.rate if layer.scale == "inference" else 1
        if keep_rate != 1:
            scaling = self._in_place_of(
                layer, "scale", keras.layers.Rescaling, scale=keep_rate
            )
            branch = scaling(branch)
        if shortcut is None:
            return branch
        addition = self._in_place_of(layer, "add", keras.layers.Add)
        return addition([shortcut, branch])

    def _in_place_of(self, layer, role, kind, **kwargs):
        """Returns a layer of Keras, the same one for each call of `layer`."""
        key = (id(layer), role)
        if key not in self._copies:
            name = f"{layer.name}_{role}"
            made = kind(name=name, dtype=layer.dtype_policy, **kwargs)
            # With no original: it has no weights to copy.
            self._copies[key] = (None, made)
        return self._copies[key][1]


def is_training_only(operation):
    """Returns whether a layer hands on its input when a model predicts.

    Args:
        operation: Layer or another operation of a graph.

    Returns:
        Boolean. `True` for layers that augment images, add noise or drop at
        random. `False` for layers of an unknown kind, and for those of
        keras-cv that augment, which do so in inference as well.
    """
    if not isinstance(operation, keras.Layer):
        return False
    package = type(operation).__module__.partition(".")[0]
    name = type(operation).__name__
    if package == "keras_fewlabels":
        return isinstance(operation, (HorizontalFlip, RandAugment))
    if package == "keras" and (
        name in _TRAINING_ONLY or name.startswith("Random")
    ):
        return name not in _ALSO_IN_INFERENCE
    # A `DropPath` or the like, of any package.
    is_dropper = operation in branch_droppers(operation)
    return is_dropper and takes_one_tensor(operation)


def _cast_as(layer, tensor):
    """Casts a tensor as a layer of Keras does: integers become floats."""
    if layer.autocast and tensor.dtype != layer.compute_dtype:
        return keras.ops.cast(tensor, layer.compute_dtype)
    return tensor
