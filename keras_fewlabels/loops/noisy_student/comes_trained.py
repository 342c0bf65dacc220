import keras
import numpy as np
from keras import ops

from keras_fewlabels.evaluation.features import flat_features, with_features
from keras_fewlabels.evaluation.frozen_features.head_kinds import (
    SIGMOIDS,
    softmax,
)
from keras_fewlabels.foundation import last_dense
from keras_fewlabels.loops.noisy_student.training.student_head import (
    head_of,
)

# Weights that are zero in a new model, whatever its seed.
_ZERO_AT_FIRST = ("bias", "beta", "moving_mean")


def comes_trained(task, model):
    """Returns whether a run starts with the features of a model, and why.

    Args:
        task: `Task`.
        model: Keras model, the student.
    """
    if not was_trained(model):
        return False, "most weights of the model are those of a new one"
    if not has_linear_head(model, task.labeled[0][:2]):
        return False, "the model does not end with a `Dense` layer with a bias"
    return True, "the model comes trained, and ends with a `Dense` layer"


def was_trained(model):
    """Returns whether a model, or its backbone, has been trained before.

    New biases and moving means are zeros, and training changes them.

    Args:
        model: Built Keras model.

    Returns:
        Boolean, whether most of them are not zero. `False` for a model
        without biases and moving means.

    Example:

    >>> from keras_fewlabels.loops.noisy_student.comes_trained import (
    ...     was_trained,
    ... )
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    >>> was_trained(model)
    False
    >>> model.set_weights([np.ones((2, 2)), np.ones(2)])
    >>> was_trained(model)
    True
    """
    changed = [
        bool(np.any(ops.convert_to_numpy(weight)))
        for weight in model.weights
        if weight.path.rsplit("/")[-1] in _ZERO_AT_FIRST
    ]
    return 2 * sum(changed) > len(changed)


def has_linear_head(model, images):
    """Returns whether a model ends with a `Dense` layer and an activation.

    Args:
        model: Keras classifier.
        images: Array of a few images.

    Returns:
        Boolean. The layer must have a bias. The activation may be a softmax
        or a sigmoid.
    """
    dense = last_dense(model)
    if dense is None or dense.bias is None:
        return False
    try:
        extractor = with_features(model)
    except ValueError:
        return False
    features, outputs = map(
        keras.ops.convert_to_numpy, extractor([images], training=False)
    )
    head = head_of(model)
    features = flat_features(features)
    if features.shape[1] != len(head.kernel):
        return False
    logits = features @ head.kernel + head.bias
    candidates = [logits, softmax(logits), SIGMOIDS.probabilities(logits)]
    if outputs.shape[-1] == 1:
        candidates = [columns[:, 1:] for columns in candidates]
    return any(
        scores.shape == outputs.shape
        and np.allclose(scores, outputs, rtol=0.05, atol=0.05)
        for scores in candidates
    )
