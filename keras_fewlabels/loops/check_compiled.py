import keras

from keras_fewlabels.foundation import check_type


def check_compiled(model):
    """Checks that a model is a compiled Keras model.

    Args:
        model: Any object.

    Raises:
        ValueError: If `model` is not a Keras model, or is not compiled.
    """
    check_type(model, "model", keras.Model, "a Keras model")
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            "The model is trained with its own optimizer and loss. Call "
            "`compile()` first. "
            f"Received: model={model.name!r}, which is not compiled"
        )
