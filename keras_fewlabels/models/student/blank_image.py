"""The preference of a classifier for some classes, seen in a blank image."""

import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import input_shape_of, last_dense
from keras_fewlabels.models.copy_model import copy_model

# The least probability whose logarithm is taken. Float32 holds it, and a
# trained classifier comes near to it.
_SMALLEST = 1e-37
# The side of a blank image for a model that takes images of any size.
_ANY_SIZE = 64


def predict_beside_blank(network, images, blank_value, scores):
    """Predicts images, with the logits of a blank image subtracted.

    Reference:
        - [Lee and Kim, 2024](https://arxiv.org/abs/2403.10391), CDMAD.

    Args:
        network: Keras model or layer, called with `training=False`.
        images: Tensor of shape `(batch, height, width, channels)`.
        blank_value: Float, the value of all pixels of the blank image.
        scores: `ClassScores`, the kind of scores of the network. The results
            are of the same kind.

    Returns:
        Tensor of shape `(batch, num_outputs)`.
    """
    outputs = network(images, training=False)
    blank = ops.full_like(images[:1], blank_value)
    difference = _logits(outputs, scores) - _logits(
        network(blank, training=False), scores
    )
    if not scores.from_logits:
        activation = keras.activations.get(scores.activation)
        difference = activation(difference)
    return ops.cast(difference, outputs.dtype)


def debiased_copy(classifier, blank_value, scores):
    """Returns a classifier to which the classes of a blank image are equal.

    Args:
        classifier: Built Keras model.
        blank_value: Float, the value of all pixels of the blank image.
        scores: `ClassScores`, the kind of scores of the classifier.

    Returns:
        A copy that predicts as `predict_beside_blank` does. The difference is
        in the bias of its last layer.

    Raises:
        ValueError: If the outputs are not those of a `Dense` layer with a
            bias.
    """
    copy = copy_model(classifier)
    shape = [side or _ANY_SIZE for side in input_shape_of(copy)[1:]]
    blank = np.full((1, *shape), blank_value, "float32")
    logits = _logits(copy(blank, training=False), scores)
    head = last_dense(copy)
    if head is not None and head.use_bias:
        head.bias.assign_sub(ops.cast(logits[0], head.bias.dtype))
        rest = _logits(copy(blank, training=False), scores)
        if scores.activation == "sigmoid":
            rest = ops.append(rest, 0.0)
        spread = ops.convert_to_numpy(ops.max(rest) - ops.min(rest))
        if spread < 0.05:
            return copy
    raise ValueError(
        "The preference for classes is taken out of the bias of the last "
        "`Dense` layer, so the student must end with one, and its activation. "
        f"Received: student={classifier.name!r}"
    )


def _logits(outputs, scores):
    outputs = ops.cast(outputs, "float32")
    if scores.from_logits:
        return outputs
    logits = ops.log(ops.maximum(outputs, _SMALLEST))
    if scores.activation == "sigmoid":
        logits -= ops.log(ops.maximum(1 - outputs, _SMALLEST))
    return logits
