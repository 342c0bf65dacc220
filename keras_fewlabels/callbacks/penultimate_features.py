import keras


def penultimate_features(model, images, layer=None, batch_size=128):
    """What the last layer with weights sees of images.

    Args:
        model: Functional or `Sequential` model; where it wraps a student, the
            student is taken.
        images: Array of shape `(num_images, height, width, channels)`.
        layer: Optional string, the name of a layer whose outputs are taken
            instead.
        batch_size: Int.

    Returns:
        Float32 array of shape `(num_images, num_features)`.

    Raises:
        ValueError: If the model has no graph or no such layer.
    """
    student = getattr(model, "student", model)
    graph = getattr(student, "_functional", None) or student
    if not hasattr(graph, "_nodes_by_depth"):
        raise ValueError(
            "Features are taken out of a functional or `Sequential` model. "
            f"Received: model={student!r}"
        )
    features = keras.Model(graph.inputs, _tensor_of(graph, layer))
    found = features.predict(images, batch_size=batch_size, verbose=0)
    return found.reshape(len(found), -1).astype("float32")


def _tensor_of(graph, layer):
    names = [each.name for each in graph.layers]
    if layer is not None:
        if layer not in names:
            raise ValueError(
                f"`layer` must be the name of a layer out of {names}. "
                f"Received: layer={layer!r}"
            )
        return graph.get_layer(layer).output
    # The last one, unless the classifier ends with a whole model.
    heads = [each for each in graph.layers if each.weights]
    if not heads:
        raise ValueError(
            "The model must have a layer with weights, whose inputs are the "
            f"features. Received: layers {names}"
        )
    return heads[-1].input
