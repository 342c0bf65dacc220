import keras

from keras_fewlabels.foundation import graph_of, model_between, nodes_in_order


def split_at_backbone(model, backbone):
    """Splits a model into a feature extractor and a head.

    Args:
        model: A built functional or `Sequential` model.
        backbone: A layer or model that `model` calls once, or a model on
            whose layers `model` was built.

    Returns:
        Two models that share their layers with `model`: from its inputs to
        the output of the backbone, and from there to its outputs.

    Raises:
        ValueError: If the model has no graph, does not call the backbone
            exactly once, or its outputs depend on more than the backbone.
    """
    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            "Only a functional or `Sequential` model can be split at its "
            f"backbone. Received: model={model!r}"
        )
    features = _output_of_backbone(graph, backbone)
    try:
        # Outputs and inputs keep their structure and names.
        head = model_between(features, graph.output)
    except ValueError as error:
        raise ValueError(
            "The layers after the backbone take other inputs beside its "
            "output, so the features alone are not enough. "
            f"Received: backbone={backbone.name!r}"
        ) from error
    return keras.Model(graph.input, features), head


def _output_of_backbone(graph, backbone):
    nodes = nodes_in_order(graph)
    calls = [node.outputs for node in nodes if node.operation is backbone]
    if not calls and isinstance(backbone, keras.Model):
        # Its layers may be part of the graph, without a call of the model.
        ids = {id(tensor) for node in nodes for tensor in node.outputs}
        if all(id(tensor) in ids for tensor in backbone.outputs):
            calls = [backbone.outputs]
    if len(calls) != 1 or len(calls[0]) != 1:
        raise ValueError(
            "The model must call the backbone once, on the level of its own "
            "layers, and the backbone must have one output. Received: "
            f"backbone={backbone.name!r}, called {len(calls)} times"
        )
    return calls[0][0]
