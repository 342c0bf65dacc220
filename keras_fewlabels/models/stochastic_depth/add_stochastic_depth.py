from keras_fewlabels.foundation import (
    check_bool,
    check_seed,
    has_layers,
    is_graph,
)
from keras_fewlabels.layers import StochasticDepth
from keras_fewlabels.models.copy_model import GraphCopy
from keras_fewlabels.models.stochastic_depth.branch_droppers import (
    branch_droppers,
    takes_one_tensor,
)
from keras_fewlabels.models.stochastic_depth.linear_rates import linear_rates
from keras_fewlabels.models.stochastic_depth.residual_additions import (
    residual_additions,
)


def add_stochastic_depth(model, final_rate=0.2, *, replace=False, seed=None):
    """Puts `StochasticDepth` in front of each residual addition of a model.

    The residual branches of the new model are dropped at random in training,
    with rates that grow linearly with the depth. The new model predicts
    exactly as the model does, so it can be pretrained. The model stays as it
    is.

    Residual additions are found by the graph, not by names. In a residual
    addition the two inputs have an ancestor in common, and one of the inputs
    is that ancestor or a projection of it. Nested models are searched too.
    Layers that add inside of their `call` are not, for their graph cannot be
    changed.

    Reference:
        - [Huang et al., 2016](https://arxiv.org/abs/1603.09382). They scale
          when predicting; here the scaling happens in training, so that
          pretrained weights keep their meaning.

    Args:
        model: Built functional or `Sequential` model.
        final_rate: Float in `[0, 1)`, the rate of the last residual branch.
        replace: Boolean. Some models drop branches already, EfficientNets for
            example. If `True`, the new layers replace their own drop layers.
            If `False`, such a model is refused.
        seed: Optional int that makes the draws reproducible.

    Returns:
        A new model with copies of all weights, the same names and `trainable`
        flags. It is compiled, with a fresh optimizer, if `model` was. In the
        order of the weights a projected shortcut may trade places with its
        branch: to set weights later, go layer by layer, by name.

    Raises:
        ValueError: If the model has no graph or no residual addition, the
            model drops branches already and `replace` is `False`,
            `final_rate` is outside `[0, 1)`, or `seed` is not an int.

    Example:

    >>> inputs = keras.Input((8,))
    >>> branch = keras.layers.Dense(8)(inputs)
    >>> model = keras.Model(inputs, keras.layers.Add()([inputs, branch]))
    >>> noisy = keras_fewlabels.models.add_stochastic_depth(model, 0.5)
    >>> [type(layer).__name__ for layer in noisy.layers]
    ['InputLayer', 'Dense', 'StochasticDepth', 'Add']
    >>> x = np.ones((1, 8))
    >>> np.array_equal(noisy.predict(x, verbose=0), model.predict(x, verbose=0))
    True
    """
    check_bool(replace, "replace")
    check_seed(seed)
    additions = _additions_of(model)
    droppers = branch_droppers(model)
    if droppers and not (replace and all(map(takes_one_tensor, droppers))):
        raise ValueError(
            "The model drops branches already. Build it with a drop rate of "
            "0, or pass `replace=True`, which takes out such layers if they "
            f"have one input. Received: replace={replace}, model="
            f"{model.name!r} with {[layer.name for layer in droppers]}"
        )
    rates = linear_rates(len(additions), final_rate)
    drops = {
        id(addition.operation): (addition.branch, rate)
        for addition, rate in zip(additions, rates, strict=True)
    }
    removed = {id(layer) for layer in droppers}
    return GraphSurgery(drops, removed, seed).copy(model)


class GraphSurgery(GraphCopy):
    """Copies a model, takes layers out and puts `StochasticDepth` in.

    Args:
        drops: Dict of the `id` of an addition to the index of the input that
            is dropped at random, and the rate.
        removed: Set of the `id`s of layers whose input is passed on instead.
        seed: Optional int, from which each drop gets a seed of its own.
    """

    def __init__(self, drops, removed, seed=None):
        super().__init__()
        self._drops = drops
        self._removed = removed
        self._seed = seed
        self._layers = {}

    def copy_layer(self, operation):
        if id(operation) in self._removed:
            return None
        return super().copy_layer(operation)

    def call(self, operation, *args, **kwargs):
        if id(operation) in self._drops:
            args = self._with_drop(operation, args)
        return super().call(operation, *args, **kwargs)

    def _with_drop(self, addition, args):
        """Returns the arguments of an addition, one of them dropped."""
        index, rate = self._drops[id(addition)]
        # A layer takes one list, the operation of `a + b` two arguments.
        is_list = isinstance(args[0], (list, tuple))
        inputs = list(args[0] if is_list else args)
        if id(addition) not in self._layers:
            number = len(self._layers)
            self._layers[id(addition)] = StochasticDepth(
                rate,
                seed=None if self._seed is None else self._seed + number,
                name=f"{addition.name}_stochastic_depth",
                dtype=inputs[index].dtype,
            )
        inputs[index] = self._layers[id(addition)](inputs[index])
        return (inputs,) if is_list else tuple(inputs)


def _additions_of(model):
    if not is_graph(model):
        raise ValueError(
            "Only a functional or `Sequential` model has a graph to change. "
            "In a subclassed model write `StochasticDepth` into `call`. "
            f"Received: model={model!r}"
        )
    additions = residual_additions(model)
    if not additions:
        raise ValueError(
            "The graph of the model has no addition of a residual branch and "
            "its shortcut. Layers that may add inside of their `call`: "
            f"{list(_closed_layers(model))}; layers that drop branches "
            "already, at the rate the model was built with: "
            f"{[layer.name for layer in branch_droppers(model)]}. "
            f"Received: model={model.name!r}"
        )
    return additions


def _closed_layers(model):
    for layer in model.layers:
        if is_graph(layer):
            yield from _closed_layers(layer)
        elif has_layers(layer):
            yield layer.name
