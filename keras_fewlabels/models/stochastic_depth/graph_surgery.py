from keras_fewlabels.layers.stochastic_depth import StochasticDepth
from keras_fewlabels.models.copy_model import GraphCopy


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
