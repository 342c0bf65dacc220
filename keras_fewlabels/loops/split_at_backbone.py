import keras

from keras_fewlabels.layers.model_graph import graph_of


def split_at_backbone(model, backbone):
    """Splits a model into what computes features and what classifies them.

    Args:
        model: A built functional or `Sequential` model.
        backbone: A layer or model that `model` calls once, or a model on
            whose layers `model` was built.

    Returns:
        Two models that share their layers with `model`: from its inputs to
        the output of the backbone, and from there to its outputs.

    Raises:
        ValueError: If the model has no graph, does not call the backbone just
            once, or its outputs depend on more than the backbone.
    """
    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            "Only a functional or `Sequential` model can be split at its "
            f"backbone. Received: model={model!r}"
        )
    features = _features_in(graph, backbone)
    try:
        head = keras.Model(features, graph.outputs)
    except ValueError as error:
        raise ValueError(
            "What follows the backbone takes something else beside its "
            "output, so the features alone are not enough. "
            f"Received: backbone={backbone.name!r}"
        ) from error
    return keras.Model(graph.inputs, features), head


def _features_in(graph, backbone):
    nodes = [node for part in graph._nodes_by_depth.values() for node in part]
    found = [node.outputs for node in nodes if node.operation is backbone]
    if not found and isinstance(backbone, keras.Model):
        ids = {id(tensor) for node in nodes for tensor in node.outputs}
        if all(id(tensor) in ids for tensor in backbone.outputs):
            found = [backbone.outputs]
    if len(found) != 1 or len(found[0]) != 1:
        raise ValueError(
            "The model must call the backbone once, on the level of its own "
            "layers, and the backbone must have one output. Received: "
            f"backbone={backbone.name!r}, called {len(found)} times"
        )
    return found[0][0]
