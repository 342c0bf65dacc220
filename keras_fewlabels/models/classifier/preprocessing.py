"""From pixels to the values that a backbone was trained on."""

import dataclasses

import keras
import numpy as np

from keras_fewlabels.foundation import (
    graph_of,
    input_shape_of,
    nodes_in_order,
)
from keras_fewlabels.models.classifier.applications import (
    mode_of_application,
    mode_of_function,
)
from keras_fewlabels.models.classifier.keras_hub import scaling_of

# The side of the images of a trial if the backbone takes any size.
_ANY_SIZE = 64
# No network was trained on larger values. A backbone that makes them out of
# pixels takes images in (0, 1), if only to bring those to (-1, 1).
_LARGEST = 256
# They bound values, but they are no preprocessing of pixels.
_ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.ReLU,
    keras.layers.Softmax,
)


@dataclasses.dataclass(frozen=True)
class Scaling:
    """Pixels times `scale` plus `offset`, of one number or one per channel.

    Args:
        scale: Number, or tuple of one per channel.
        offset: Number, or tuple of one per channel.
        reverse: Boolean, whether red and blue change places before.
    """

    scale: float | tuple = 1.0
    offset: float | tuple = 0.0
    reverse: bool = False

    def __call__(self, pixels):
        """Returns a `KerasTensor` of scaled pixels, made by Keras's layers."""
        if self.reverse:
            pixels = keras.ops.flip(pixels, axis=-1)
        if (self.scale, self.offset) == (1.0, 0.0):
            return pixels
        # In float32 also in mixed precision, in which pixels lose digits.
        return keras.layers.Rescaling(
            self.scale, self.offset, dtype="float32", name="preprocessing"
        )(pixels)


_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# As `keras.applications.imagenet_utils.preprocess_input` names them.
MODES = {
    "none": Scaling(),
    "tf": Scaling(1 / 127.5, -1.0),
    "torch": Scaling(
        tuple(1 / (255 * deviation) for deviation in _DEVIATION),
        tuple(
            -mean / deviation
            for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)
        ),
    ),
    "caffe": Scaling(1.0, (-103.939, -116.779, -123.68), reverse=True),
}


def resolve_preprocessing(preprocessing, backbone):
    """Returns the function that preprocesses images for a backbone.

    Args:
        preprocessing: As for `models.classifier`.
        backbone: Built Keras model.

    Returns:
        Function of a `KerasTensor` of pixels from 0 to 255 that returns one
        of the values that the backbone takes.

    Raises:
        ValueError: If `preprocessing` is of another kind, or is `None` and
            the backbone does not tell.
    """
    if preprocessing is None:
        return MODES[_mode_of(backbone)]
    mode = mode_of_function(preprocessing) or preprocessing
    if isinstance(mode, str) and mode in MODES:
        return MODES[mode]
    preprocessing = scaling_of(preprocessing) or preprocessing
    if isinstance(preprocessing, keras.Layer):
        return preprocessing
    if isinstance(preprocessing, tuple | list) and len(preprocessing) == 2:
        scale, offset = map(_numbers, preprocessing)
        if scale is not None and offset is not None:
            return Scaling(scale, offset)
    raise ValueError(
        "`preprocessing` must be a pair (scale, offset) of numbers or of a "
        'number per channel, "tf", "torch", "caffe" or "none", a Keras layer, '
        "or a `preprocess_input` of `keras.applications`. "
        f"Received: preprocessing={preprocessing!r}"
    )


def _numbers(value):
    """Returns a float or a tuple of three; `None` for anything else."""
    try:
        values = np.asarray(value)
    except ValueError:
        return None
    is_number = values.dtype.kind in "iuf" and values.shape in ((), (3,))
    if not is_number or not np.isfinite(values).all():
        return None
    return tuple(map(float, values)) if values.shape else float(values)


def _mode_of(backbone):
    """Returns the mode of a backbone that tells it by its layers."""
    low, high = _scaled_pixels(backbone)
    largest = max(abs(low), abs(high))
    if largest > _LARGEST:
        raise ValueError(
            "The first layers of the backbone scale images that are no pixels "
            "from 0 to 255, perhaps images in (0, 1). Pass what turns pixels "
            "into such images, `preprocessing=(1 / 255, 0)`. Received: "
            f"backbone={backbone.name!r}, which turns 255 into {high:.4g}"
        )
    if (low, high) != (0.0, 255.0):
        return "none"
    mode = mode_of_application(backbone)
    if mode is None:
        raise ValueError(
            "The values that the backbone was trained on are not known, and "
            "with other values it would learn badly without an error. Pass "
            "what turns pixels from 0 to 255 into them: "
            "`preprocessing=(1 / 255, 0)` if it was trained on images in (0, "
            '1), `"tf"` for (-1, 1), `"torch"` or `"caffe"` for the '
            "normalizations of these frameworks, a Keras layer, such as the "
            "`ImageConverter.from_preset(preset)` of keras-hub, or "
            '`"none"` if it takes pixels as they are. Received: '
            f"preprocessing=None with backbone={backbone.name!r} of class "
            f"{type(backbone).__name__}"
        )
    return mode


def _scaled_pixels(backbone):
    """Returns what the first layers of a backbone make of 0 and 255.

    They are the layers up to the first one with weights, or an activation.
    `Normalization` belongs to them, although it has weights.

    Returns:
        Pair of floats, the lowest and the highest value. `(0, 255)` if the
        backbone has no graph.
    """
    graph = graph_of(backbone)
    front = None if graph is None else _before_weights(graph)
    if front is None or any(front is tensor for tensor in graph.inputs):
        return 0.0, 255.0
    first = keras.Model(graph.inputs[0], front)
    _, *sizes = input_shape_of(graph)
    sizes = [size or _ANY_SIZE for size in sizes]
    images = np.stack([np.zeros(sizes), np.full(sizes, 255.0)])
    values = keras.ops.convert_to_numpy(
        first(images.astype("float32"), training=False)
    )
    return float(values.min()), float(values.max())


def _before_weights(graph):
    """Returns the tensor that enters the first layer that learned."""
    for node in nodes_in_order(graph):
        operation = node.operation
        has_weights = bool(getattr(operation, "weights", None))
        is_scaling = isinstance(operation, keras.layers.Normalization)
        is_activation = isinstance(operation, _ACTIVATIONS)
        if not is_activation and (is_scaling or not has_weights):
            continue
        inner = graph_of(operation)
        if inner is None:
            return node.input_tensors[0]
        front = _before_weights(inner)
        if any(front is tensor for tensor in inner.inputs):
            return node.input_tensors[0]
        return keras.Model(inner.inputs, front)(node.input_tensors)
    return None
