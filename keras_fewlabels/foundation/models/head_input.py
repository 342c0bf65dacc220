"""The last `Dense` layer of a classifier, and its input, the features."""

import keras

from keras_fewlabels.foundation.keras_internals import graph_of, nodes_in_order


def head_input(model):
    """Returns the input of the last `Dense` layer, also in a nested model.

    Args:
        model: Keras model or layer.

    Returns:
        Keras tensor that depends on the inputs of the model. `None` if the
        model has no graph, or no `Dense` layer in it.
    """
    graph = graph_of(model)
    if graph is None:
        return None
    for node in reversed(nodes_in_order(graph)):
        if isinstance(node.operation, keras.layers.Dense):
            return node.input_tensors[0]
        inner = head_input(node.operation)
        if inner is not None:
            nested = graph_of(node.operation)
            front = keras.Model(nested.inputs, inner)
            return front(node.input_tensors)
    return None


def last_dense(model):
    """Returns the last `Dense` layer of a model, also in a nested model.

    Args:
        model: Keras model or layer.

    Returns:
        The layer, or `None` as for `head_input`.
    """
    graph = graph_of(model)
    if graph is None:
        return None
    for node in reversed(nodes_in_order(graph)):
        if isinstance(node.operation, keras.layers.Dense):
            return node.operation
        inner = last_dense(node.operation)
        if inner is not None:
            return inner
    return None
