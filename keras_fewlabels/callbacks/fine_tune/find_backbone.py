import keras


def find_backbone(model, backbone):
    """Finds the layer inside a model whose layers are to be fine-tuned.

    Where the model wraps a student, as `NoisyStudentModel` does, only the
    student is searched: a teacher often has layers of the same names.

    Args:
        model: The `keras.Model` in training.
        backbone: A layer or model, at any depth inside `model`; a model whose
            layers became layers of `model` when it was built on them; or the
            name of a layer inside `model`.

    Returns:
        The layer or model itself.

    Raises:
        ValueError: If it is not in the model, or several layers have its name.
    """
    layers = getattr(model, "student", model)._flatten_layers()
    if not isinstance(backbone, str):
        if not _is_among(backbone, layers):
            raise _not_found(model, layers, f"backbone={backbone!r}")
        return backbone
    named = [layer for layer in layers if layer.name == backbone]
    if not named:
        raise _not_found(model, layers, f"backbone={backbone!r}")
    if len(named) > 1:
        raise ValueError(
            "The name of a backbone must be unique in the model. Pass the "
            f"layer itself. Received: backbone={backbone!r}, the name of "
            f"{len(named)} layers"
        )
    return named[0]


def _is_among(backbone, layers):
    ids = {id(layer) for layer in layers}
    if id(backbone) in ids:
        return True
    # A model built on the layers of another is not a layer of the result.
    weighted = [layer for layer in _sublayers(backbone) if layer.weights]
    return bool(weighted) and all(id(layer) in ids for layer in weighted)


def _sublayers(backbone):
    return backbone.layers if isinstance(backbone, keras.Model) else []


def _not_found(model, layers, received):
    candidates = [
        layer.name for layer in layers[1:] if layer._layers and layer.weights
    ]
    return ValueError(
        "The backbone must be a layer of the model in training, or the name "
        f"of one. Layers of {model.name!r} with layers of their own: "
        f"{candidates}. Received: {received}"
    )
