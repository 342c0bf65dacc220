"""Backbones, presets and tasks of keras-hub, and what keras-cv shares."""

import importlib.util
import os
import re

import keras

from keras_fewlabels.foundation import graph_of, run_through_graph

# The tokens in front of the patches, besides registers. A task of keras-hub
# reads the first one.
_NUM_CLASS_TOKENS = {
    "CLIPVisionEncoder": 1,
    "DeiTBackbone": 2,
    "DINOV2Backbone": 1,
    "DINOV3Backbone": 1,
    "MetaCLIP2VisionEncoder": 1,
}


def is_of(package, thing):
    """Returns whether the class of an object is of a package."""
    return type(thing).__module__.partition(".")[0] == package


def is_preset(name):
    """Returns whether a string names a preset of keras-hub.

    Args:
        name: String: the name of a preset, a handle such as
            `"hf://timm/resnet18.a1_in1k"`, or the folder of a preset.
    """
    if "://" in name or os.path.isdir(name):
        return True
    if importlib.util.find_spec("keras_hub") is None or "_" not in name:
        return False
    import keras_hub

    return name in keras_hub.models.Backbone.presets


def load_preset(name, image_size, load_weights):
    """Returns the backbone and the image converter of a preset.

    Args:
        name: String, for which `is_preset` holds.
        image_size: Pair of ints.
        load_weights: Boolean, whether the weights are loaded.

    Returns:
        Backbone for images of this size, if its weights allow it, and its
        `ImageConverter`.

    Raises:
        ImportError: If keras-hub is not installed.
        ValueError: If there is no such preset.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise ImportError(
            "A preset is loaded by keras-hub. Run `pip install keras-hub`. "
            f"Received: backbone={name!r} ({error})"
        ) from error
    load = keras_hub.models.Backbone.from_preset
    try:
        shape = (*image_size, 3)
        backbone = load(name, load_weights=load_weights, image_shape=shape)
    except (TypeError, ValueError):
        # Some have weights for one size, and some have no such argument.
        backbone = load(name, load_weights=load_weights)
    return backbone, keras_hub.layers.ImageConverter.from_preset(name)


def is_task(model):
    """Returns whether a model is a backbone with a head in one class."""
    return (
        (is_of("keras_hub", model) or is_of("keras_cv", model))
        and isinstance(model, keras.Model)
        and isinstance(getattr(model, "backbone", None), keras.Model)
    )


def vision_part(backbone):
    """Returns the part of a backbone for images and text that takes images."""
    if is_of("keras_hub", backbone):
        return getattr(backbone, "vision_encoder", backbone)
    return backbone


def num_prefix_tokens(backbone):
    """Returns how many tokens a transformer has in front of its patches."""
    if not is_of("keras_hub", backbone):
        return 0
    number = _NUM_CLASS_TOKENS.get(type(backbone).__name__, 0)
    number += bool(getattr(backbone, "use_class_token", False))
    return number + (getattr(backbone, "num_register_tokens", 0) or 0)


def plain_model(model):
    """Returns a model of Keras's own class on the layers of a model.

    Keras loads it without the package of the class, if all of its layers are
    Keras's own. Other models than those of keras-hub and keras-cv stay.
    """
    graph = graph_of(model)
    is_foreign = is_of("keras_hub", model) or is_of("keras_cv", model)
    if graph is None or not is_foreign or len(graph.inputs) != 1:
        return model
    outputs = graph.output
    if isinstance(outputs, dict):
        outputs = outputs[_last_stage(model, outputs)]
    return keras.Model(graph.inputs[0], outputs, name=model.name)


def _last_stage(model, outputs):
    """Returns the name of the last of the feature maps of a backbone."""
    named = [
        name for name in getattr(model, "stage_names", ()) if name in outputs
    ]
    # Otherwise that with the highest number: P10 comes after P9.
    return (named or sorted(outputs, key=_by_number))[-1]


def _by_number(name):
    return [
        int(part) if part.isdigit() else part
        for part in re.split(r"(\d+)", name)
    ]


def converter_of(task):
    """Returns what a task does with images before its layers see them.

    Returns:
        `ImageConverter` or layer; `None` if the task does nothing.

    Raises:
        ValueError: If it is a function, which no model can hold.
    """
    preprocessor = getattr(task, "preprocessor", None)
    if hasattr(preprocessor, "image_converter"):
        return preprocessor.image_converter
    if preprocessor is None or isinstance(preprocessor, keras.Layer):
        return preprocessor
    raise ValueError(
        "The preprocessor of a task must be one of keras-hub or a Keras layer. "
        f"Received: preprocessor={preprocessor!r} of task={task.name!r}"
    )


def scaling_of(converter):
    """Returns the scale and the offset of an `ImageConverter`.

    Returns:
        Pair of numbers or lists of one per channel; `None` for any other
        object, also a converter with a `call` of its own.
    """
    call = getattr(type(converter), "call", None)
    if not is_of("keras_hub", converter) or not getattr(
        call, "__module__", ""
    ).endswith(".preprocessing.image_converter"):
        return None
    scale, offset = converter.scale, converter.offset
    return 1.0 if scale is None else scale, 0.0 if offset is None else offset


def resizing_of(converter):
    """Returns a copy of the resizing of an `ImageConverter`, or `None`."""
    if scaling_of(converter) is None or converter.image_size is None:
        return None
    config = converter.resizing.get_config()
    return keras.layers.Resizing.from_config({**config, "dtype": "float32"})


def call_task(task, backbone, values):
    """Calls the layers of a task, outside of the class of the task.

    Args:
        task: Task with one input of images.
        backbone: The backbone of the task, as `plain_model` returns it.
        values: `KerasTensor` of images that the preprocessor has seen.

    Returns:
        `KerasTensor` of scores.
    """

    def call(operation, *args, **kwargs):
        if operation is task.backbone and not isinstance(
            operation.output, dict
        ):
            return backbone(keras.tree.flatten(args)[0])
        return operation(*args, **kwargs)

    graph = graph_of(task)
    inputs = keras.tree.map_structure(lambda _: values, graph.input)
    return run_through_graph(graph, inputs, call)
