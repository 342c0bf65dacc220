import keras

from keras_fewlabels.callbacks.fine_tune.select_layers import top_layers

MERGES = (
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Concatenate,
)
NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
)


class LayerDecay:
    """Lets each block of a backbone learn more slowly than the one above.

    The top block learns at the optimizer's learning rate, the next one at
    `decay` times it, the next at `decay ** 2`, and so on; what is not of the
    backbone learns at the full rate. Decoupled weight decay follows.

    A block of a backbone ends where branches join (`Add`, `Concatenate`), and
    a layer with layers of its own is a block. In a plain chain of layers a
    block is a layer with weights and the normalization after it.

    Args:
        backbone: The layer or model whose layers form the blocks.
        decay: Float in `(0, 1]`.
    """

    def __init__(self, backbone, decay):
        blocks = layer_blocks(backbone)
        self._factors = {
            id(variable): decay**depth
            for depth, block in enumerate(reversed(blocks))
            for layer in block
            for variable in layer.variables
        }

    def install(self, optimizer):
        """Scales the updates of `optimizer` until `remove()`."""
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if isinstance(inner, keras.optimizers.Nadam):
            raise ValueError(
                "Nadam updates a momentum of all variables at once, and "
                "`layer_decay` updates block by block. Compile with another "
                f"optimizer, such as Adam. Received: optimizer={inner.name!r}"
            )
        update = inner._backend_update_step
        apply_weight_decay = inner._apply_weight_decay

        def update_by_block(grads, variables, learning_rate):
            for factor, part in self._by_factor(variables, grads).items():
                variables, grads = zip(*part, strict=True)
                update(list(grads), list(variables), learning_rate * factor)

        def apply_weight_decay_by_block(variables):
            weight_decay = inner.weight_decay
            if weight_decay is None:
                return
            for factor, part in self._by_factor(variables, variables).items():
                inner.weight_decay = weight_decay * factor
                apply_weight_decay([variable for variable, _ in part])
            inner.weight_decay = weight_decay

        inner._backend_update_step = update_by_block
        inner._apply_weight_decay = apply_weight_decay_by_block

    def remove(self, optimizer):
        """Gives `optimizer` its own update back."""
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        vars(inner).pop("_backend_update_step", None)
        vars(inner).pop("_apply_weight_decay", None)

    def _by_factor(self, variables, values):
        parts = {}
        for variable, value in zip(variables, values, strict=True):
            factor = self._factors.get(id(variable), 1.0)
            parts.setdefault(factor, []).append((variable, value))
        return parts


def layer_blocks(backbone):
    """The blocks of a backbone, lists of layers, from the bottom to the top."""
    layers = top_layers(backbone)
    joins = any(_is_join(layer) for layer in layers)
    blocks = [[]]
    for layer in layers:
        if (
            not joins
            and layer.weights
            and not isinstance(layer, NORMALIZATIONS)
        ):
            blocks.append([])
        blocks[-1].append(layer)
        if joins and _is_join(layer):
            blocks.append([])
    return [block for block in blocks if any(layer.weights for layer in block)]


def _is_join(layer):
    return isinstance(layer, MERGES) or bool(layer._layers)
