"""The graph of layers that functional and `Sequential` models have."""

import keras


def graph_of(model):
    """The functional model that holds the layers of a model.

    Args:
        model: Keras model or layer. A built `Sequential` model has its graph
            inside.

    Returns:
        Functional Keras model, or `None` if there is no graph.
    """
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def head_input(model):
    """The tensor that the last `Dense` layer takes, also in a nested model.

    Args:
        model: Keras model or layer.

    Returns:
        Keras tensor that depends on the inputs of the model, or `None` if it
        has no graph, or no `Dense` layer in it.
    """
    graph = graph_of(model)
    if graph is None:
        return None
    for depth in sorted(graph._nodes_by_depth):
        for node in graph._nodes_by_depth[depth]:
            if isinstance(node.operation, keras.layers.Dense):
                return node.input_tensors[0]
            inner = head_input(node.operation)
            if inner is not None:
                nested = graph_of(node.operation)
                front = keras.Model(nested.inputs, inner)
                return front(node.input_tensors)
    return None
