import keras

from keras_fewlabels.layers.model_graph import graph_of, head_input


def embedding_features(model, images, layer=None, batch_size=128):
    """What the head of a classifier sees of images.

    Args:
        model: Functional or `Sequential` model; where it wraps a student, the
            student is taken.
        images: Array of shape `(num_images, height, width, channels)`.
        layer: Optional string, the name of a layer whose outputs are taken
            instead of what the last `Dense` layer takes.
        batch_size: Int.

    Returns:
        Float32 array of shape `(num_images, num_features)`.

    Raises:
        ValueError: If the model has no graph or no such layer.
    """
    student = getattr(model, "student", model)
    graph = graph_of(student)
    if graph is None:
        raise ValueError(
            "Features are taken out of a functional or `Sequential` model. "
            f"Received: model={student!r}"
        )
    features = keras.Model(graph.inputs, _tensor_of(graph, layer))
    found = features.predict(images, batch_size=batch_size, verbose=0)
    return found.reshape(len(found), -1).astype("float32")


def _tensor_of(graph, layer):
    names = [each.name for each in graph.layers]
    if layer is None:
        tensor = head_input(graph)
        if tensor is None:
            raise ValueError(
                "The model has no `Dense` layer, whose input would be the "
                "features. Give the name of a layer as `layer`. "
                f"Received: layers {names}"
            )
        return tensor
    if layer not in names:
        raise ValueError(
            f"`layer` must be the name of a layer out of {names}. "
            f"Received: layer={layer!r}"
        )
    return graph.get_layer(layer).output
