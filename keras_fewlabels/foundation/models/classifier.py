"""Checks that a model is one classifier of images."""

import keras

from keras_fewlabels.foundation.keras_internals import graph_of, nodes_in_order
from keras_fewlabels.foundation.models.called_model import (
    check_called,
    check_one_input,
    is_shape,
    overridden,
)

_TRAINING = ("train_step", "compute_loss")


def check_classifier(model, role, images=None, trained=False):
    """Checks that a model can be called with images and gives class scores.

    Args:
        model: Built Keras model.
        role: String, the name of the model in the error.
        images: Optional array of a few images. By default images of noise.
        trained: Boolean, whether the caller trains the model with a train
            step and a loss of its own.

    Raises:
        ValueError: If the model has several inputs or outputs, or does with
            images what a call leaves out.
    """
    check_one_input(model, role)
    check_one_output(model, role)
    check_called(model, role, images)
    methods = overridden(model, _TRAINING) if trained else None
    if methods:
        raise ValueError(
            f"The {role} is trained here, so its own {' and '.join(methods)} "
            "would not be called. Put what they do with images into layers, "
            "and wrap the model to say that its layers are all that counts: "
            "`keras.Model(images, model(images))` with `images = keras.Input("
            "shape)`. "
            f"Received: model={model.name!r} of class {type(model).__name__}"
        )


def check_one_output(model, role):
    """Checks the outputs of a functional or `Sequential` model.

    Args:
        model: Keras model. A subclassed one passes, as its outputs are not
            known before it predicts.
        role: String, the name of the model in the error.

    Raises:
        ValueError: As `check_scores_shape`.
    """
    graph = graph_of(model)
    if graph is None:
        return
    shapes = keras.tree.map_structure(lambda each: each.shape, graph.output)
    check_scores_shape(shapes, role)


def check_scores_shape(shape, role):
    """Checks that the outputs of a model are one row of scores per image.

    Args:
        shape: Shape of the outputs, or a list or dict of several.
        role: String, the name of the model in the error.

    Raises:
        ValueError: If there are several outputs, or outputs that are no rows.
    """
    if not is_shape(shape):
        raise ValueError(
            f"The {role} must have one output, a row of class scores per "
            "image. Take it out of the others with `keras.Model(model.inputs, "
            f"model.outputs[0])`. Received: outputs of shapes {shape}"
        )
    if len(shape) != 2:
        raise ValueError(
            f"The {role} must give one row of class scores per image, "
            f"shape (batch, num_classes). Received: {tuple(shape)}"
        )


def ends_with(graph, *activations):
    """Returns whether a functional model ends with one of some activations.

    Args:
        graph: Functional model.
        *activations: Strings, such as `"sigmoid"`.
    """
    operation = nodes_in_order(graph)[-1].operation
    inner = graph_of(operation)
    if inner is not None:
        return ends_with(inner, *activations)
    function = getattr(operation, "activation", None)
    return any(
        function is getattr(keras.activations, name)
        or type(operation).__name__ == name.capitalize()
        for name in activations
    )
