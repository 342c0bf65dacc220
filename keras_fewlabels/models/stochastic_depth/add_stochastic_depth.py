import numbers

from keras_fewlabels.foundation.keras_internals import has_layers, is_graph
from keras_fewlabels.models.stochastic_depth.branch_droppers import (
    branch_droppers,
    takes_one_tensor,
)
from keras_fewlabels.models.stochastic_depth.graph_surgery import GraphSurgery
from keras_fewlabels.models.stochastic_depth.linear_rates import linear_rates
from keras_fewlabels.models.stochastic_depth.residual_additions import (
    residual_additions,
)


def add_stochastic_depth(model, final_rate=0.2, replace=False, seed=None):
    """Puts `StochasticDepth` in front of each residual addition of a model.

    What is a pretrained network otherwise becomes one whose branches are
    dropped in training, with rates that grow linearly with the depth. The
    result predicts exactly as the model does, and the model stays as it is.

    Residual additions are found by the graph, not by names: an addition whose
    two inputs share an ancestor, which one of them reaches directly or by a
    projection. Nested models are searched too; layers that add inside of
    their `call` are not, for their graph cannot be changed.

    Reference:
        - [Huang et al., 2016](https://arxiv.org/abs/1603.09382). They scale
          when predicting; here the scaling happens in training, so that
          pretrained weights keep their meaning.

    Args:
        model: Built functional or `Sequential` model.
        final_rate: Float in `[0, 1)`, the rate of the last residual branch.
        replace: Boolean. Some models drop branches already, EfficientNets for
            example. If `True`, their own drop layers are taken out in favour
            of the new ones; otherwise such a model is refused.
        seed: Optional int that makes the draws reproducible.

    Returns:
        A new model with copies of all weights, the same names and `trainable`
        flags. It is compiled, with a fresh optimizer, if `model` was. A
        projected shortcut may trade places with its branch in the order of
        the weights: carry them over layer by layer, by name.

    Raises:
        ValueError: If the model has no graph or no residual addition, drops
            branches already and `replace` is `False`, or `final_rate` is
            outside `[0, 1)`.

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
    if seed is not None and not isinstance(seed, numbers.Integral):
        raise ValueError(
            "`seed` must be an int, from which each layer gets one of its "
            f"own, or None. Received: seed={seed!r}"
        )
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
