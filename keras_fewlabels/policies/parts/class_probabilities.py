"""A classifier's outputs as class probabilities, and what its loss reads.

Whether outputs are logits, probabilities or neither is decided here alone.
"""

import inspect

import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import check_scores_shape

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
# All losses of Keras, so that those of users can be told apart.
_KERAS_LOSSES = tuple(
    loss
    for loss in vars(keras.losses).values()
    if inspect.isclass(loss) and loss is not keras.losses.Loss
)
_KERAS_FUNCTIONS = tuple(
    filter(inspect.isfunction, vars(keras.losses).values())
)


def class_probabilities(outputs, from_logits):
    """Turns a classifier's outputs into float32 probabilities.

    Args:
        outputs: Float tensor of shape `(batch, num_classes)`.
        from_logits: Boolean, whether they are logits. Otherwise they are
            probabilities already.

    Returns:
        Float32 tensor of shape `(batch, num_classes)` whose rows sum to 1.
    """
    outputs = ops.cast(outputs, "float32")
    return ops.softmax(outputs, axis=-1) if from_logits else outputs


def gives_logits(outputs, model=None, role="model"):
    """Returns whether a classifier gives logits rather than probabilities.

    The whole package follows this one rule. The loss that the model is
    compiled with tells, if it is a categorical cross-entropy of Keras.
    Otherwise the outputs tell: rows of numbers that are not negative and sum
    to 1 are probabilities, and all others are logits. Outputs that another
    loss of Keras reads are never logits of a softmax.

    Args:
        outputs: Array of shape `(batch, num_classes)`, what the model predicts
            for a few images.
        model: Optional Keras model.
        role: String, how the caller calls the model.

    Returns:
        Boolean.

    Raises:
        ValueError: If the loss expects probabilities, and the outputs are
            not probabilities; or if the loss reads them in another way.
    """
    loss = _resolve(getattr(model, "loss", None))
    if _is_softmax_loss(loss):
        from_logits = reads_logits(loss)
        check_class_scores(outputs, from_logits, role)
        return from_logits
    if _are_probabilities(outputs):
        return False
    if _is_of_keras(loss):
        raise ValueError(
            f"The outputs of the {role} are no class probabilities, and its "
            "loss does not read them by a softmax. End the model with "
            "`activation='softmax'`, or train it with a categorical "
            "cross-entropy of Keras. "
            f"Received: loss={model.loss!r}"
        )
    return True


def reads_logits(loss):
    """Returns whether a compiled loss takes the model's outputs as logits.

    Args:
        loss: The `loss` given to `model.compile()`: a `keras.losses.Loss`, its
            name, its class, or its function.

    Returns:
        Boolean.

    Raises:
        ValueError: If the loss is not a categorical cross-entropy of Keras.
    """
    resolved = _resolve(loss)
    if not _is_softmax_loss(resolved):
        raise ValueError(
            "Whether the model gives logits or probabilities is read off its "
            "loss, which must be a categorical cross-entropy of Keras, such as "
            "`keras.losses.SparseCategoricalCrossentropy(from_logits=True)`, "
            "by itself and not in a list, dict or function. One that reads "
            "each output by a sigmoid, such as `BinaryCrossentropy`, knows of "
            f"no class that is the only one. Received: loss={loss!r}"
        )
    return bool(getattr(resolved, "from_logits", False))


def reads_class_numbers(loss):
    """Returns whether a compiled loss takes class numbers, not one-hot rows.

    Args:
        loss: As for `reads_logits`.

    Returns:
        Boolean.

    Raises:
        ValueError: If the loss is not a categorical cross-entropy of Keras.
    """
    reads_logits(loss)
    loss = _resolve(loss)
    return loss is keras.losses.sparse_categorical_crossentropy or isinstance(
        loss, keras.losses.SparseCategoricalCrossentropy
    )


def check_class_scores(outputs, from_logits, role, is_own_loss=True):
    """Checks that a classification loss can read the outputs of a model.

    Args:
        outputs: Array or tensor, what a model predicts for a few images.
        from_logits: Boolean, whether its loss takes logits; `None` if that is
            not known yet.
        role: String, how the caller calls the model.
        is_own_loss: Boolean, whether the model itself is trained with the
            loss. Then outputs are what the loss says, even if they look like
            something else.

    Returns:
        NumPy array of shape `(batch, num_classes)`.

    Raises:
        ValueError: If the outputs are not one row of scores per image, or are
            logits where the loss takes probabilities, or the reverse.
    """
    if not hasattr(outputs, "shape"):
        check_scores_shape(keras.tree.map_structure(np.shape, outputs), role)
    check_scores_shape(tuple(outputs.shape), role)
    outputs = np.asarray(ops.convert_to_numpy(outputs), "float32")
    are_probabilities = _are_probabilities(outputs)
    sums = outputs.sum(axis=-1)
    received = (
        f"Received: outputs from {outputs.min():.3g} to {outputs.max():.3g}, "
        f"which sum to {sums.min():.3g} to {sums.max():.3g}"
    )
    if from_logits is False and not are_probabilities:
        raise ValueError(
            f"The loss expects probabilities, so the last layer of the {role} "
            "needs `activation='softmax'`; or compile with "
            f"`from_logits=True`. {received}"
        )
    if from_logits and are_probabilities and not is_own_loss:
        raise ValueError(
            f"The loss expects logits, but the {role} gives probabilities, "
            "which a second softmax would flatten. Leave out the softmax of "
            f"its last layer, or compile with `from_logits=False`. {received}"
        )
    return outputs


def check_same_classes(outputs, teacher_outputs):
    """Checks that student and teacher have the same number of classes.

    Args:
        outputs: Array of shape `(batch, num_classes)` of the student.
        teacher_outputs: The same of the teacher.

    Raises:
        ValueError: If the numbers of classes differ.
    """
    if outputs.shape[-1] != teacher_outputs.shape[-1]:
        raise ValueError(
            "Student and teacher must have the same classes. Received: "
            f"{outputs.shape[-1]} classes of the student, "
            f"{teacher_outputs.shape[-1]} of the teacher"
        )


def _resolve(loss):
    # `compile()` takes names of functions and of classes, and classes.
    is_name = isinstance(loss, str) or inspect.isclass(loss)
    return keras.losses.get(loss) if is_name else loss


def _is_softmax_loss(loss):
    # Functions by identity: one of the user may have any name.
    return isinstance(loss, _SOFTMAX_LOSSES) or loss in _SOFTMAX_FUNCTIONS


def _is_of_keras(loss):
    return isinstance(loss, _KERAS_LOSSES) or loss in _KERAS_FUNCTIONS


def _are_probabilities(outputs):
    sums = np.sum(outputs, axis=-1, dtype="float32")
    return bool(np.min(outputs) >= 0 and np.allclose(sums, 1, atol=1e-2))
