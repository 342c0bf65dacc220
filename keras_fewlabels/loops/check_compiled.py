"""What a loop that fits a model of the user needs of it."""

import keras


def check_compiled(model):
    """Refuses what is no Keras model with an optimizer and a loss.

    Args:
        model: What should be a compiled Keras model.

    Raises:
        ValueError: If it is no model, or not compiled.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`model` must be a Keras model. Received: model={model!r}"
        )
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            "The model is trained with its own optimizer and loss. Call "
            "`compile()` first. "
            f"Received: model={model.name!r}, which is not compiled"
        )
