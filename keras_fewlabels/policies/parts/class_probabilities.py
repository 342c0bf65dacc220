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


def reads_logits(loss):
    """Whether a compiled loss takes the model's outputs as logits.

    Args:
        loss: What was given to `model.compile(loss=...)`: a
            `keras.losses.Loss`, its name, or its function.

    Returns:
        Boolean.

    Raises:
        ValueError: If the loss is no classification loss of Keras.
    """
    resolved = _resolve(loss)
    if isinstance(resolved, keras.losses.Loss):
        from_logits = resolved.get_config().get("from_logits")
        if from_logits is not None:
            return from_logits
    elif getattr(resolved, "__name__", None) in (
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
        "categorical_focal_crossentropy",
    ):
        return False
    raise ValueError(
        "Whether the model gives logits or probabilities is read off its "
        "loss, which must be a categorical cross-entropy of Keras, such as "
        "`keras.losses.SparseCategoricalCrossentropy(from_logits=True)`. "
        f"Received: loss={loss!r}"
    )


def reads_class_numbers(loss):
    """Whether a compiled loss takes class numbers rather than one-hot rows.

    Args:
        loss: As for `reads_logits`.

    Returns:
        Boolean.
    """
    loss = _resolve(loss)
    if isinstance(loss, keras.losses.SparseCategoricalCrossentropy):
        return True
    # Not its own name, which is whatever the user calls it.
    kind = type(loss) if isinstance(loss, keras.losses.Loss) else loss
    return kind.__name__.lower().startswith("sparse")


def _resolve(loss):
    # `compile()` takes names of functions and of classes.
    return keras.losses.get(loss) if isinstance(loss, str) else loss


def check_class_scores(outputs, from_logits, role):
    """Refuses outputs that a classification loss cannot read.

    Args:
        outputs: NumPy array, what a model predicts for a few images.
        from_logits: Boolean, whether its loss takes logits.
        role: String, how the caller calls the model.

    Raises:
        ValueError: If there is no row of scores per image, or rows that
            should be probabilities are none.
    """
    outputs = np.asarray(outputs, "float32")
    if outputs.ndim != 2:
        raise ValueError(
            f"The {role} must give one row of class scores per image, "
            f"shape (batch, num_classes). Received: {outputs.shape}"
        )
    if not from_logits and not gives_probabilities(outputs):
        sums = outputs.sum(axis=-1)
        raise ValueError(
            f"The loss expects probabilities, so the last layer of the {role} "
            "needs `activation='softmax'`; or compile with "
            "`from_logits=True`. Received: outputs from "
            f"{outputs.min():.3g} to {outputs.max():.3g}, which sum to "
            f"{sums.min():.3g} to {sums.max():.3g}"
        )


def gives_probabilities(outputs):
    """Whether rows of outputs are class probabilities rather than logits.

    Args:
        outputs: NumPy array of shape `(batch, num_classes)`.

    Returns:
        Boolean.
    """
    sums = np.sum(outputs, axis=-1, dtype="float32")
    return bool(np.min(outputs) >= 0 and np.allclose(sums, 1, atol=1e-2))


def check_same_classes(outputs, teacher_outputs):
    """Refuses a student and a teacher with another number of classes.

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
