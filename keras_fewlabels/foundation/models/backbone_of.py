"""The backbone of a classifier: the model inside that has most weights."""

import keras

from keras_fewlabels.foundation.keras_internals import graph_of, nodes_in_order


def backbone_of(model):
    """Returns the model inside a classifier that computes its features.

    It is found again in a model that was saved and loaded.

    Args:
        model: Built Keras model.

    Returns:
        The Keras model that `model` calls as a layer and that holds more than
        half of its parameters. `None` if there is no such layer, as in a model
        without a graph or one that was built on the layers of a backbone.

    Example:

    >>> from keras_fewlabels.foundation import backbone_of
    >>> net = keras.Sequential(
    ...     [keras.Input((8,)), keras.layers.Dense(9)], name="net"
    ... )
    >>> model = keras.Sequential([net, keras.layers.Dense(2)])
    >>> backbone_of(model).name
    'net'
    """
    graph = graph_of(model)
    if graph is None:
        return None
    nodes = nodes_in_order(graph)
    for node in nodes:
        layer = node.operation
        if (
            isinstance(layer, keras.Model)
            and 2 * layer.count_params() > model.count_params()
        ):
            # What gives the outputs has the head inside.
            is_last = node is nodes[-1]
            return backbone_of(layer) if is_last else layer
    return None
