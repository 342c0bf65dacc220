import dataclasses

import keras

from keras_fewlabels.foundation import is_graph, nodes_in_order

# A projected shortcut is a convolution and its normalization.
MAX_SHORTCUT_LAYERS = 2


@dataclasses.dataclass(frozen=True)
class ResidualAddition:
    """A place in a functional graph where a branch joins its shortcut.

    Args:
        operation: The addition, an `Add` layer or the operation of `a + b`.
        branch: Int, the input of the addition that is the branch, 0 or 1.
        operations: The operations of the branch, in the order they run.
    """

    operation: keras.Operation
    branch: int
    operations: tuple


def residual_additions(model):
    """Finds the residual additions of a model by its graph.

    An addition is residual if its two inputs have an ancestor in common and
    one of them, the shortcut, is that ancestor or a projection of it, while
    the other, the branch, has more layers with weights on the way.

    Args:
        model: A functional or `Sequential` model. Nested models are searched
            too, but not layers that add inside of their `call`.

    Returns:
        List of `ResidualAddition`, in the order they run.
    """
    if isinstance(model, keras.Sequential):
        return [
            addition
            for layer in model.layers
            if is_graph(layer)
            for addition in residual_additions(layer)
        ]
    ancestors = {}
    additions = []
    for node in nodes_in_order(model):
        ancestors[id(node)] = _ancestors_of(node, ancestors)
        if type(node.operation).__name__ == "Add":
            additions += _residual_addition(node, ancestors)
        elif is_graph(node.operation):
            additions += residual_additions(node.operation)
    return additions


def _ancestors_of(node, ancestors):
    # A dict keeps the order, which a set does not.
    found = {}
    for parent in node.parent_nodes:
        found |= ancestors.get(id(parent), {})
    return found | {id(node): node.operation}


def _residual_addition(node, ancestors):
    if len(node.parent_nodes) != 2:
        return []
    first, second = (ancestors[id(parent)] for parent in node.parent_nodes)
    own = [
        [op for key, op in first.items() if key not in second],
        [op for key, op in second.items() if key not in first],
    ]
    weighted = [sum(map(_has_weights, operations)) for operations in own]
    branch = 0 if weighted[0] > weighted[1] else 1
    is_residual = (
        first.keys() & second.keys()
        and weighted[0] != weighted[1]
        and weighted[1 - branch] <= MAX_SHORTCUT_LAYERS
    )
    if not is_residual:
        return []
    return [ResidualAddition(node.operation, branch, tuple(own[branch]))]


def _has_weights(operation):
    return isinstance(operation, keras.Layer) and bool(operation.weights)
