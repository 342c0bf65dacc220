import keras

from keras_fewlabels.foundation import (
    backbone_of,
    flatten_layers,
    has_layers,
)


def find_backbone(model, backbone):
    """Finds the layer inside a model whose layers are to be fine-tuned.

    In a model that wraps a student, such as `NoisyStudentModel`, only the
    student is searched, because a teacher often has layers of the same names.

    Args:
        model: The `keras.Model` in training.
        backbone: A layer or model at any depth inside `model`; a model on
            whose layers `model` was built; the name of a layer inside
            `model`; or `None` for the one that has most of the parameters.

    Returns:
        The layer or model itself.

    Raises:
        ValueError: If `model` does not contain the backbone, several of its
            layers have the name, or no model inside has most of the
            parameters.
    """
    layers = flatten_layers(trained_part(model))
    if backbone is None:
        backbone = backbone_of(trained_part(model))
        if backbone is None:
            raise _not_found(model, layers, backbone)
    if not isinstance(backbone, str):
        if not _is_among(backbone, layers):
            raise _not_found(model, layers, backbone)
        return backbone
    named = [layer for layer in layers if layer.name == backbone]
    if not named:
        raise _not_found(model, layers, backbone)
    if len(named) > 1:
        raise ValueError(
            "The name of a backbone must be unique in the model. Pass the "
            f"layer itself. Received: backbone={backbone!r}, the name of "
            f"{len(named)} layers"
        )
    return named[0]


def trained_part(model):
    """Returns the student inside a model, or the model if it has none."""
    return getattr(model, "student", model)


def check_model(model):
    """Checks that a model is compiled and built.

    Raises:
        ValueError: If the model has no optimizer, or is not built.
    """
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            "FineTune prepares the optimizer before training starts. Call "
            "`compile()` before `fit()`. "
            f"Received: model={model.name!r}, which is not compiled"
        )
    if not trained_part(model).built:
        raise ValueError(
            "FineTune must know every variable before training starts, but "
            "the model is not built. Add a `keras.Input`, or call "
            "`model.build(input_shape)`, before `fit()`. "
            f"Received: model={model.name!r}"
        )


def _is_among(backbone, layers):
    ids = {id(layer) for layer in layers}
    if id(backbone) in ids:
        return True
    # A model built on the layers of another model does not contain that model.
    sublayers = backbone.layers if isinstance(backbone, keras.Model) else []
    weighted = [layer for layer in sublayers if layer.weights]
    return bool(weighted) and all(id(layer) in ids for layer in weighted)


def _not_found(model, layers, backbone):
    candidates = [
        layer.name
        for layer in layers[1:]
        if has_layers(layer) and layer.weights
    ]
    return ValueError(
        "The backbone must be a layer of the model in training, or the name "
        f"of one. Layers of {model.name!r} with layers of their own: "
        f"{candidates}. Received: backbone={backbone!r}"
    )
