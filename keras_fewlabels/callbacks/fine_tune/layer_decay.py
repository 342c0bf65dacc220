import keras

from keras_fewlabels.callbacks.fine_tune.training_stages import top_layers
from keras_fewlabels.foundation import (
    has_layers,
    inner_optimizer,
    replace_update,
    restore_update,
)

_MERGES = (
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Concatenate,
)
_NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
)


class LayerDecay:
    """Lets each block of a backbone learn more slowly than the block above.

    The top block learns at the learning rate of the optimizer, the block
    below it at `decay` times that rate, the next at `decay ** 2`, and so on.
    Variables outside of the backbone learn at the full rate. Decoupled weight
    decay is scaled in the same way.

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
        """Scales the updates of an optimizer until `remove()` is called.

        Raises:
            ValueError: If the optimizer is a `Nadam`.
        """
        inner = inner_optimizer(optimizer)
        if isinstance(inner, keras.optimizers.Nadam):
            raise ValueError(
                "Nadam updates a momentum of all variables at once, and "
                "`layer_decay` updates block by block. Compile with another "
                f"optimizer, such as Adam. Received: optimizer={inner.name!r}"
            )

        def by_block(update):
            def update_by_block(grads, variables, learning_rate):
                for factor, part in self._by_factor(variables, grads).items():
                    variables, grads = zip(*part, strict=True)
                    update(list(grads), list(variables), learning_rate * factor)

            return update_by_block

        def decay_by_block(apply_weight_decay):
            def apply_by_block(variables):
                weight_decay = inner.weight_decay
                if weight_decay is None:
                    return
                parts = self._by_factor(variables, variables)
                for factor, part in parts.items():
                    inner.weight_decay = weight_decay * factor
                    apply_weight_decay([variable for variable, _ in part])
                inner.weight_decay = weight_decay

            return apply_by_block

        replace_update(inner, by_block, decay_by_block)

    def remove(self, optimizer):
        """Undoes `install()`."""
        restore_update(inner_optimizer(optimizer))

    def _by_factor(self, variables, values):
        parts = {}
        for variable, value in zip(variables, values, strict=True):
            factor = self._factors.get(id(variable), 1.0)
            parts.setdefault(factor, []).append((variable, value))
        return parts


def layer_blocks(backbone):
    """Returns the blocks of a backbone, lists of layers, bottom to top."""
    layers = top_layers(backbone)
    has_joins = any(_is_join(layer) for layer in layers)
    blocks = [[]]
    for layer in layers:
        is_normalization = isinstance(layer, _NORMALIZATIONS)
        if not has_joins and layer.weights and not is_normalization:
            blocks.append([])
        blocks[-1].append(layer)
        if has_joins and _is_join(layer):
            blocks.append([])
    return [block for block in blocks if any(layer.weights for layer in block)]


def _is_join(layer):
    return isinstance(layer, _MERGES) or has_layers(layer)
