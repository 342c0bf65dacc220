import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.policies import DebiasedPolicy, FixedThreshold
from keras_fewlabels.policies.parts import (
    ClassScores,
    OneSigmoid,
    Sigmoids,
    check_class_scores,
    check_one_true,
    check_own_activation,
    check_policy_of,
    check_same_classes,
    scores_of,
)


def test_probabilities_for_a_loss_that_takes_logits_are_refused():
    outputs = np.array([[0.25, 0.75], [0.5, 0.5]])
    logits = ClassScores(True)
    with pytest.raises(ValueError, match="expects logits, but the teacher"):
        check_class_scores(outputs, logits, "teacher", is_own_loss=False)
    sigmoid = keras.Sequential([keras.Input((2,)), layers.Dense(1, "sigmoid")])
    with pytest.raises(ValueError, match=r"teacher gives probabilities.*sigm"):
        check_class_scores(
            outputs[:, :1],
            OneSigmoid(True),
            "teacher",
            is_own_loss=False,
            model=sigmoid,
        )
    # A model that learned by the loss gives what the loss says.
    check_class_scores(outputs, logits, "student")
    assert check_class_scores(outputs, None, "student").dtype == "float32"
    assert check_class_scores(2 * outputs, logits, "student").shape == (2, 2)


@pytest.mark.parametrize(
    "outputs, scores, message",
    [
        ({"a": np.ones((2, 3))}, ClassScores(True), "one output.*'a'"),
        ([np.ones((2, 3)), np.ones((2, 4))], ClassScores(True), "one output"),
        (np.ones((2, 3, 3)), ClassScores(True), r"one row of cl.*\(2, 3, 3\)"),
        (np.ones((2, 1)), ClassScores(True), "needs an output for each class"),
        (2 * np.ones((2, 1)), OneSigmoid(False), "activation='sigmoid'"),
        (-np.ones((2, 3)), Sigmoids(False), "activation='sigmoid'"),
    ],
    ids=["dict", "list", "maps", "one class", "logits of one", "of several"],
)
def test_outputs_that_are_no_class_scores(outputs, scores, message):
    with pytest.raises(ValueError, match=message):
        check_class_scores(outputs, scores, "student")


def test_a_softmax_that_a_binary_loss_reads():
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(2), layers.Softmax()]
    )
    model.compile(loss="binary_crossentropy")
    outputs = np.array([[0.25, 0.75]])
    with pytest.raises(ValueError, match="ends with a softmax, of which one"):
        check_class_scores(outputs, Sigmoids(False), "student", model=model)
    with pytest.raises(ValueError, match="but the student ends with a softmax"):
        check_own_activation(Sigmoids(False), model, "student")
    check_own_activation(ClassScores(False), model, "student")
    # An evaluation takes it as what it is.
    assert scores_of(outputs, model) == ClassScores(False)


def test_what_several_labels_cannot_do():
    policy = DebiasedPolicy(FixedThreshold())
    for scores in (ClassScores(True), OneSigmoid(False)):
        check_one_true(scores, "This")
        check_policy_of(scores, policy)
    check_policy_of(Sigmoids(True), FixedThreshold())
    with pytest.raises(ValueError, match=r"This needs a.*pass one output at"):
        check_one_true(Sigmoids(True), "This")
    with pytest.raises(ValueError, match=r"two classes. Do that. Received"):
        check_one_true(Sigmoids(True), "This", "Do that.")
    with pytest.raises(ValueError, match=r"DebiasedPolicy compares classes"):
        check_policy_of(Sigmoids(True), policy)


def test_two_models_have_the_same_classes():
    outputs = np.ones((2, 3))
    check_same_classes(outputs, outputs)
    with pytest.raises(ValueError, match="3 classes of the student, 2 of the"):
        check_same_classes(outputs, outputs[:, :2])
