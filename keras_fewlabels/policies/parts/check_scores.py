"""Checks that scores are of the kind that their loss or policy takes."""

import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import (
    check_scores_shape,
    ends_with,
    graph_of,
    nodes_in_order,
)
from keras_fewlabels.policies.parts.class_scores import OneSigmoid

# What else to do with a model of several labels.
_ONE_AT_A_TIME = (
    "Of a model with a sigmoid for each of several labels, pass one output at "
    "a time: `keras.Model(model.inputs, model.outputs[0][:, 0:1])`."
)


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


def check_one_true(scores, caller, instead=_ONE_AT_A_TIME):
    """Checks that a classifier is one of classes of which one is true.

    Args:
        scores: `ClassScores`.
        caller: String, what needs such a classifier.
        instead: String, the sentence that says what else to do.

    Raises:
        ValueError: If several classes may be true of an image.
    """
    if not scores.one_true:
        raise ValueError(
            f"{caller} needs a classifier of classes of which one is true of "
            "each image: a softmax, or one sigmoid unit for two classes. "
            f"{instead} Received: a model of several sigmoids"
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


def check_own_activation(scores, model, role, received=None):
    """Checks that no softmax is read by a sigmoid for each output.

    Args:
        scores: `ClassScores` that the loss reads.
        model: Keras model.
        role: String, how the caller calls the model.
        received: Optional string, what the error says of the outputs.

    Raises:
        ValueError: If the model ends with a softmax, and its loss is a binary
            cross-entropy.
    """
    if isinstance(scores, OneSigmoid) and last_activation(model) == "softmax":
        received = received or f"Received: model={model.name!r}"
        raise ValueError(
            f"A binary cross-entropy reads each output by itself, but the "
            f"{role} ends with a softmax, of which one class is true. Compile "
            f"with a categorical cross-entropy. {received}"
        )


def last_activation(model):
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


def are_probabilities(outputs, kind):
    """Returns whether outputs could be probabilities of a kind of scores."""
    if np.min(outputs) < 0 or not np.isfinite(outputs).all():
        return False
    if issubclass(kind, OneSigmoid):
        return bool(np.max(outputs) <= 1 + 1e-2)
    sums = np.sum(outputs, axis=-1, dtype="float32")
    return bool(np.allclose(sums, 1, atol=1e-2))


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
    check_own_activation(scores, model, role, received)
    is_probable = are_probabilities(outputs, type(scores))
    if not scores.from_logits and not is_probable:
        raise ValueError(
            f"The loss expects probabilities, so the last layer of the {role} "
            f"needs `activation='{name}'`; or compile with "
            f"`from_logits=True`. {received}"
        )
    if is_sigmoid:
        # Logits of sigmoids may lie between 0 and 1.
        is_probable = last_activation(model) == "sigmoid"
    if scores.from_logits and is_probable and not is_own_loss:
        raise ValueError(
            f"The loss expects logits, but the {role} gives probabilities, "
            f"which a second {name} would flatten. Leave out the {name} of "
            f"its last layer, or compile with `from_logits=False`. {received}"
        )
