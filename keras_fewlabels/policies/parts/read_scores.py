"""The kind of scores that a model gives, read off its loss and its outputs.

Whether outputs are logits, probabilities or neither, of classes of which one
is true or several are, is decided here alone.
"""

import inspect

import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import (
    check_scores_shape,
    ends_with,
    graph_of,
    nodes_in_order,
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
    end = _last_activation(model)
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
    if _are_probabilities(outputs, kind) and not (
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


def check_class_scores(outputs, scores, role, *, is_own_loss=True, model=None):
    """Checks that a classification loss can read the outputs of a model.

    Args:
        outputs: Array or tensor, what a model predicts for a few images.
        scores: `ClassScores` that the loss reads; or a function of the number
            of outputs that returns them; `None` if they are not known yet.
        role: String, how the caller calls the model.
        is_own_loss: Boolean, whether the model itself is trained with the
            loss. Then outputs are what the loss says, even if they look like
            something else.
        model: Optional Keras model that gives the outputs.

    Returns:
        NumPy array of shape `(batch, num_outputs)`.

    Raises:
        ValueError: If the outputs are not one row of scores per image, or are
            logits where the loss takes probabilities, or the reverse.
    """
    if not hasattr(outputs, "shape"):
        check_scores_shape(keras.tree.map_structure(np.shape, outputs), role)
    check_scores_shape(tuple(outputs.shape), role)
    outputs = np.asarray(ops.convert_to_numpy(outputs), "float32")
    if callable(scores):
        scores = scores(outputs.shape[-1])
    if scores is not None:
        _check_kind(outputs, scores, role, is_own_loss, model)
    return outputs


def check_same_classes(outputs, teacher_outputs):
    """Checks that student and teacher have the same number of classes.

    Args:
        outputs: Array of shape `(batch, num_outputs)` of the student.
        teacher_outputs: The same of the teacher.

    Raises:
        ValueError: If the numbers of outputs differ.
    """
    if outputs.shape[-1] != teacher_outputs.shape[-1]:
        raise ValueError(
            "Student and teacher must have the same classes. Received: "
            f"{outputs.shape[-1]} classes of the student, "
            f"{teacher_outputs.shape[-1]} of the teacher"
        )


def check_one_true(scores, caller):
    """Checks that a classifier is one of classes of which one is true.

    Args:
        scores: `ClassScores`.
        caller: String, what needs such a classifier.

    Raises:
        ValueError: If several classes may be true of an image.
    """
    if not scores.one_true:
        raise ValueError(
            f"{caller} needs a classifier of classes of which one is true of "
            "each image: a softmax, or one sigmoid unit for two classes. Of a "
            "model with a sigmoid for each of several labels, pass one output "
            "at a time: `keras.Model(model.inputs, model.output[:, 0:1])`. "
            "Received: a model of several sigmoids"
        )


def check_policy_of(scores, policy):
    """Checks that a policy can judge the scores of a classifier.

    Args:
        scores: `ClassScores`.
        policy: `Policy`.

    Raises:
        ValueError: If several classes may be true, and the policy needs
            probabilities of which the sum is 1.
    """
    if not scores.one_true and not policy.per_output:
        raise ValueError(
            f"{type(policy).__name__} compares classes of which one is true of "
            "each image, and the model has a sigmoid for each of several "
            "labels. Use a policy that judges each of them by itself, such as "
            f"`policies.FixedThreshold()`. Received: policy={policy!r}"
        )


def _check_kind(outputs, scores, role, is_own_loss, model):
    sums = outputs.sum(axis=-1)
    received = (
        f"Received: outputs from {outputs.min():.3g} to {outputs.max():.3g}, "
        f"which sum to {sums.min():.3g} to {sums.max():.3g}"
    )
    is_sigmoid = isinstance(scores, OneSigmoid)
    name = scores.activation
    if not is_sigmoid and outputs.shape[-1] == 1:
        raise ValueError(
            f"A categorical cross-entropy needs an output for each class, and "
            f"the {role} has one. Compile with `BinaryCrossentropy` for one "
            "sigmoid unit; or end the model with two outputs and a softmax. "
            f"{received}"
        )
    if is_sigmoid and _last_activation(model) == "softmax":
        raise ValueError(
            f"A binary cross-entropy reads each output by itself, but the "
            f"{role} ends with a softmax, of which one class is true. Compile "
            f"with a categorical cross-entropy. {received}"
        )
    are_probabilities = _are_probabilities(outputs, type(scores))
    if not scores.from_logits and not are_probabilities:
        raise ValueError(
            f"The loss expects probabilities, so the last layer of the {role} "
            f"needs `activation='{name}'`; or compile with "
            f"`from_logits=True`. {received}"
        )
    if is_sigmoid:
        # Logits of sigmoids may lie between 0 and 1.
        are_probabilities = _last_activation(model) == "sigmoid"
    if scores.from_logits and are_probabilities and not is_own_loss:
        raise ValueError(
            f"The loss expects logits, but the {role} gives probabilities, "
            f"which a second {name} would flatten. Leave out the {name} of "
            f"its last layer, or compile with `from_logits=False`. {received}"
        )


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


def _last_activation(model):
    """Returns the name of the last activation of a classifier, if known."""
    for part in ("student", "model"):
        model = getattr(model, part, model)
    graph = graph_of(model)
    if graph is None:
        return None
    for name in ("sigmoid", "softmax"):
        if ends_with(graph, name):
            return name
    dense = isinstance(nodes_in_order(graph)[-1].operation, keras.layers.Dense)
    return "linear" if dense and ends_with(graph, "linear") else None


def _are_probabilities(outputs, kind):
    if np.min(outputs) < 0 or not np.isfinite(outputs).all():
        return False
    if issubclass(kind, OneSigmoid):
        return bool(np.max(outputs) <= 1 + 1e-2)
    sums = np.sum(outputs, axis=-1, dtype="float32")
    return bool(np.allclose(sums, 1, atol=1e-2))
