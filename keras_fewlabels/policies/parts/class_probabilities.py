"""A classifier's outputs as class probabilities."""

import keras
import numpy as np
from keras import ops


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
    to 1 are probabilities.

    Args:
        outputs: Array of shape `(batch, num_classes)`, what the model predicts
            for a few images.
        model: Optional Keras model.
        role: String, how the caller calls the model.

    Returns:
        Boolean.

    Raises:
        ValueError: If the loss expects probabilities, and the outputs are
            not probabilities.
    """
    from_logits = _from_logits(getattr(model, "loss", None))
    if from_logits is None:
        return not _are_probabilities(outputs)
    check_class_scores(outputs, from_logits, role)
    return from_logits


def reads_logits(loss):
    """Returns whether a compiled loss takes the model's outputs as logits.

    Args:
        loss: The `loss` given to `model.compile()`: a `keras.losses.Loss`, its
            name, or its function.

    Returns:
        Boolean.

    Raises:
        ValueError: If the loss is not a categorical cross-entropy of Keras.
    """
    from_logits = _from_logits(loss)
    if from_logits is None:
        raise ValueError(
            "Whether the model gives logits or probabilities is read off its "
            "loss, which must be a categorical cross-entropy of Keras, such as "
            "`keras.losses.SparseCategoricalCrossentropy(from_logits=True)`. "
            f"Received: loss={loss!r}"
        )
    return from_logits


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
    if isinstance(loss, keras.losses.SparseCategoricalCrossentropy):
        return True
    # Not by its own name, which is whatever the user calls it.
    kind = type(loss) if isinstance(loss, keras.losses.Loss) else loss
    return kind.__name__.lower().startswith("sparse")


def check_class_scores(outputs, from_logits, role):
    """Checks that a classification loss can read the outputs of a model.

    Args:
        outputs: NumPy array, what a model predicts for a few images.
        from_logits: Boolean, whether its loss takes logits.
        role: String, how the caller calls the model.

    Raises:
        ValueError: If the outputs are not one row of scores per image, or are
            not probabilities although the loss takes probabilities.
    """
    outputs = np.asarray(outputs, "float32")
    if outputs.ndim != 2:
        raise ValueError(
            f"The {role} must give one row of class scores per image, "
            f"shape (batch, num_classes). Received: {outputs.shape}"
        )
    if not from_logits and not _are_probabilities(outputs):
        sums = outputs.sum(axis=-1)
        raise ValueError(
            f"The loss expects probabilities, so the last layer of the {role} "
            "needs `activation='softmax'`; or compile with "
            "`from_logits=True`. Received: outputs from "
            f"{outputs.min():.3g} to {outputs.max():.3g}, which sum to "
            f"{sums.min():.3g} to {sums.max():.3g}"
        )


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


def _from_logits(loss):
    """Returns whether a loss takes logits; `None` if the loss does not tell."""
    loss = _resolve(loss)
    if isinstance(loss, keras.losses.Loss):
        return loss.get_config().get("from_logits")
    if getattr(loss, "__name__", None) in (
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
        "categorical_focal_crossentropy",
    ):
        return False
    return None


def _resolve(loss):
    # `compile()` takes names of functions and of classes.
    return keras.losses.get(loss) if isinstance(loss, str) else loss


def _are_probabilities(outputs):
    sums = np.sum(outputs, axis=-1, dtype="float32")
    return bool(np.min(outputs) >= 0 and np.allclose(sums, 1, atol=1e-2))
