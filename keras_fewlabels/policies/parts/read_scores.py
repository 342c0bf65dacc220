"""The kind of scores that a model gives, read off its loss and its outputs.

Whether outputs are logits, probabilities or neither, of classes of which one
is true or several are, is decided here alone.
"""

import inspect

import keras
import numpy as np

from keras_fewlabels.policies.parts.check_scores import (
    are_probabilities,
    check_class_scores,
    check_one_true,
    last_activation,
)
from keras_fewlabels.policies.parts.class_scores import (
    ClassScores,
    OneSigmoid,
    Sigmoids,
)

# The losses that read one softmax over all classes, and their functions.
_SOFTMAX_LOSSES = (
    keras.losses.CategoricalCrossentropy,
    keras.losses.SparseCategoricalCrossentropy,
    keras.losses.CategoricalFocalCrossentropy,
)
_SOFTMAX_FUNCTIONS = (
    keras.losses.categorical_crossentropy,
    keras.losses.sparse_categorical_crossentropy,
    keras.losses.categorical_focal_crossentropy,
)
# The losses that read each output by a sigmoid of its own.
_SIGMOID_LOSSES = (
    keras.losses.BinaryCrossentropy,
    keras.losses.BinaryFocalCrossentropy,
)
_SIGMOID_FUNCTIONS = (
    keras.losses.binary_crossentropy,
    keras.losses.binary_focal_crossentropy,
)
# All losses of Keras, so that those of users can be told apart.
_KERAS_LOSSES = tuple(
    loss
    for loss in vars(keras.losses).values()
    if inspect.isclass(loss) and loss is not keras.losses.Loss
)
_KERAS_FUNCTIONS = tuple(
    filter(inspect.isfunction, vars(keras.losses).values())
)


def scores_of_loss(loss, num_outputs):
    """Returns the kind of scores that a compiled loss reads.

    A categorical cross-entropy reads a softmax. A binary cross-entropy reads
    one sigmoid for two classes, or a sigmoid for each of several labels.

    Args:
        loss: The `loss` given to `model.compile()`: a `keras.losses.Loss`, its
            name, its class, or its function.
        num_outputs: Int, the scores that the model gives for an image.

    Returns:
        A `ClassScores`.

    Raises:
        ValueError: If the loss is not a cross-entropy of Keras.
    """
    resolved = _resolve(loss)
    from_logits = bool(getattr(resolved, "from_logits", False))
    if _is_in(resolved, _SIGMOID_LOSSES, _SIGMOID_FUNCTIONS):
        if num_outputs == 1:
            return OneSigmoid(from_logits)
        return Sigmoids(from_logits)
    if _is_in(resolved, _SOFTMAX_LOSSES, _SOFTMAX_FUNCTIONS):
        return ClassScores(from_logits, _reads_numbers(resolved))
    raise ValueError(
        "Whether the model gives logits or probabilities is read off its "
        "loss, which must be a categorical cross-entropy of Keras, such as "
        "`keras.losses.SparseCategoricalCrossentropy(from_logits=True)`, or a "
        "binary one for one sigmoid unit or for labels of which several may "
        "be true; by itself and not in a list, dict or function. "
        f"Received: loss={loss!r}"
    )


def scores_of(outputs, model=None, role="model", only_ranked=False):
    """Returns the kind of scores that a classifier gives.

    The whole package follows this one rule. The loss that the model is
    compiled with tells, if it is a cross-entropy of Keras. Otherwise the last
    activation tells, if it is a sigmoid, and then the outputs: rows of numbers
    that are not negative and sum to 1 are probabilities, single numbers
    between 0 and 1 are those of the second of two classes, and all others are
    logits. Outputs that another loss of Keras reads are never logits.

    Args:
        outputs: Array of shape `(batch, num_outputs)`, what the model
            predicts for a few images.
        model: Optional Keras model.
        role: String, how the caller calls the model.
        only_ranked: Boolean, whether the caller takes only the highest score
            of a softmax. Then any loss of several classes will do.

    Returns:
        A `ClassScores`.

    Raises:
        ValueError: If the loss expects probabilities, and the outputs are
            not probabilities; or if the loss reads them in another way.
    """
    loss = _resolve(getattr(model, "loss", None))
    end = last_activation(model)
    num_outputs = outputs.shape[-1]
    is_softmax_loss = _is_in(loss, _SOFTMAX_LOSSES, _SOFTMAX_FUNCTIONS)
    is_sigmoid_loss = _is_in(loss, _SIGMOID_LOSSES, _SIGMOID_FUNCTIONS)
    is_softmax_end = end == "softmax" and num_outputs > 1
    if only_ranked and (is_softmax_loss or is_softmax_end):
        return ClassScores(False)
    if is_softmax_loss or (is_sigmoid_loss and not is_softmax_end):
        scores = scores_of_loss(loss, num_outputs)
        check_class_scores(outputs, scores, role)
        return scores
    kind = OneSigmoid if num_outputs == 1 else ClassScores
    if end == "sigmoid":
        return (OneSigmoid if num_outputs == 1 else Sigmoids)(False)
    is_linear = end == "linear"
    if are_probabilities(outputs, kind) and not (
        is_linear and num_outputs == 1
    ):
        return kind(False)
    if only_ranked and num_outputs > 1 and loss is not None:
        return ClassScores(False)
    if _is_in(loss, _KERAS_LOSSES, _KERAS_FUNCTIONS):
        raise ValueError(
            f"The outputs of the {role} are no class probabilities, and its "
            "loss does not read them by a softmax or a sigmoid. End the model "
            "with `activation='softmax'`, or train it with a cross-entropy of "
            f"Keras. Received: loss={model.loss!r}"
        )
    if not is_linear and np.min(outputs) >= 0 and 0 < np.max(outputs) <= 1:
        sums = np.sum(outputs, axis=-1, dtype="float32")
        raise ValueError(
            f"The outputs of the {role} may be logits, or probabilities of "
            "labels of which several may be true. Compile the model with the "
            "cross-entropy of Keras that it was trained with. Received: "
            "outputs from 0 to 1, and rows that sum to "
            f"{sums.min():.3g} to {sums.max():.3g}"
        )
    return kind(True)


def num_several_labels(model):
    """Returns how many labels a model has, of which several may be true.

    It is what `scores_of` would find, as far as the loss and the layers tell
    before anything is predicted.

    Args:
        model: Keras model.

    Returns:
        Int; or `None` if one class is true of each image, or the model does
        not tell its number of outputs.
    """
    shape = getattr(getattr(model, "student", model), "output_shape", None)
    is_row = isinstance(shape, tuple) and len(shape) == 2
    if not is_row or not isinstance(shape[1], int) or shape[1] == 1:
        return None
    loss = _resolve(getattr(model, "loss", None))
    end = last_activation(model)
    is_several = end == "sigmoid"
    if _is_in(loss, _SOFTMAX_LOSSES, _SOFTMAX_FUNCTIONS):
        is_several = False
    elif _is_in(loss, _SIGMOID_LOSSES, _SIGMOID_FUNCTIONS):
        is_several = end != "softmax"
    return shape[1] if is_several else None


def check_one_class(model, caller):
    """Checks that one class is true of an image, before it is predicted.

    Args:
        model: Keras model.
        caller: String, what needs such a model.

    Raises:
        ValueError: If the model tells that several labels may be true.
    """
    if num_several_labels(model) is not None:
        check_one_true(Sigmoids(from_logits=True), caller)


def _resolve(loss):
    # `compile()` takes names of functions and of classes, and classes.
    is_name = isinstance(loss, str) or inspect.isclass(loss)
    return keras.losses.get(loss) if is_name else loss


def _is_in(loss, classes, functions):
    # Functions by identity: one of the user may have any name.
    return isinstance(loss, classes) or loss in functions


def _reads_numbers(loss):
    return loss is keras.losses.sparse_categorical_crossentropy or isinstance(
        loss, keras.losses.SparseCategoricalCrossentropy
    )
