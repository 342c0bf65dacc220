"""A backbone, and what is known of the images that it was trained on."""

import dataclasses
import os

import keras

from keras_fewlabels.foundation import (
    check_one_input,
    ends_with,
    graph_of,
    nodes_in_order,
)
from keras_fewlabels.models.classifier.applications import (
    application_name,
    build_application,
)
from keras_fewlabels.models.classifier.keras_hub import (
    converter_of,
    is_preset,
    is_task,
    load_preset,
    num_prefix_tokens,
    plain_model,
    resizing_of,
    vision_part,
)


@dataclasses.dataclass(frozen=True)
class Source:
    """A backbone, and what is known of the images that it was trained on.

    Args:
        model: Keras model with one input of images that gives features.
        backbone: The model of the user on whose layers `model` is built.
        preprocessing: What turns pixels into the model's values, as for
            `models.classifier`; `None` if only the model can tell.
        num_prefix_tokens: Int, as for `pool`.
        task: Keras model with the backbone and a head that is kept, or
            `None`.
        resizing: `keras.layers.Resizing` of that task, or `None`.
    """

    model: keras.Model
    backbone: keras.Model
    preprocessing: object = None
    num_prefix_tokens: int = 0
    task: keras.Model | None = None
    resizing: keras.Layer | None = None


def find_source(backbone, image_size, weights, keeps_head, pooling="auto"):
    """Returns the `Source` that the arguments of a classifier name.

    Args:
        backbone: As for `models.classifier`.
        image_size: Pair of ints, or `None` if the backbone decides.
        weights: As for `models.classifier`.
        keeps_head: Boolean, whether a task keeps its own head.
        pooling: As for `models.classifier`.

    Raises:
        ValueError: If a name is not known, `backbone` is of another type, it
            has several inputs, a head that it should not have, or none that
            it could keep, or `weights` are given beside a model.
    """
    if keeps_head and not is_task(backbone):
        raise ValueError(
            "`classes` must be the number of classes. Only a task of keras-hub "
            "or keras-cv, such as `keras_hub.models.ImageClassifier`, has a "
            f"head that can be kept. Received: backbone={backbone!r}"
        )
    if isinstance(backbone, str | os.PathLike):
        return _named(os.fspath(backbone), image_size, weights, pooling)
    name = application_name(backbone)
    if name is not None:
        return _named(name, image_size, weights, pooling)
    if not isinstance(backbone, keras.Model):
        raise ValueError(
            "`backbone` must be the name of a network of `keras.applications`, "
            "a preset of keras-hub or a Keras model that gives features. "
            f"Received: backbone={backbone!r}"
        )
    if weights not in ("imagenet", None):
        raise ValueError(
            "`weights` are for a network that is given by its name. Load those "
            "of a model with `backbone.load_weights(path)` before. Received: "
            f"weights={weights!r} with backbone={backbone.name!r}"
        )
    if is_task(backbone):
        return _of_task(backbone, keeps_head)
    _check_no_head(backbone)
    return _of_model(backbone)


def _named(name, image_size, weights, pooling):
    if not is_preset(name):
        name = application_name(name)
        network = build_application(name, image_size, weights, pooling)
        return Source(network, network)
    if weights not in ("imagenet", None):
        raise ValueError(
            "`weights` of a preset of keras-hub must be None for random ones, "
            f"or left out. Received: weights={weights!r} with backbone={name!r}"
        )
    return _of_model(*load_preset(name, image_size, weights is not None))


def _of_model(backbone, preprocessing=None):
    backbone = vision_part(backbone)
    check_one_input(backbone, "backbone")
    return Source(
        plain_model(backbone),
        backbone,
        preprocessing,
        num_prefix_tokens(backbone),
    )


def _of_task(task, keeps_head):
    converter = converter_of(task)
    source = _of_model(task.backbone, converter)
    if not keeps_head:
        return source
    # A task without a preprocessor takes images as they are.
    return dataclasses.replace(
        source,
        preprocessing="none" if converter is None else converter,
        task=task,
        resizing=resizing_of(converter),
    )


def _check_no_head(backbone):
    graph = graph_of(backbone)
    if graph is None:
        return
    last = nodes_in_order(graph)[-1].operation
    if last.name == "predictions" or ends_with(graph, "softmax", "sigmoid"):
        raise ValueError(
            "The backbone must give features, so it must not end with a "
            "classifier. Build it with `include_top=False`, or cut it off with "
            "`keras.Model(model.input, model.layers[-2].output)`. "
            f"Received: backbone={backbone.name!r}, which ends with the layer "
            f"{last.name!r}"
        )
