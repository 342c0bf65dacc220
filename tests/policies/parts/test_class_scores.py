import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies import FixedThreshold
from keras_fewlabels.policies.parts import (
    ClassScores,
    OneSigmoid,
    Sigmoids,
    weighted_mean,
)

LOGITS = np.array([[-3.0], [0.5], [4.0]], "float32")
TARGETS = np.array([[1, 0], [0.25, 0.75], [0, 1]], "float32")


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def binary(targets, probabilities):
    """The cross-entropy of two outcomes, written out."""
    return -(
        targets * np.log(probabilities)
        + (1 - targets) * np.log(1 - probabilities)
    )


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_softmax_probabilities():
    logits = np.log([[1.0, 3.0, 4.0]]).astype("float16")
    probabilities = ClassScores(True).probabilities(logits)
    assert keras.backend.standardize_dtype(probabilities.dtype) == "float32"
    np.testing.assert_allclose(
        numpy(probabilities), [[1 / 8, 3 / 8, 0.5]], rtol=1e-3
    )
    same = ClassScores(False).probabilities(np.array([[0.25, 0.75]]))
    np.testing.assert_allclose(numpy(same), [[0.25, 0.75]])


@pytest.mark.parametrize("from_logits", [True, False])
def test_one_sigmoid_is_a_softmax_of_two_columns(from_logits):
    scores = OneSigmoid(from_logits)
    outputs = LOGITS if from_logits else sigmoid(LOGITS)
    expected = np.hstack([1 - sigmoid(LOGITS), sigmoid(LOGITS)])
    np.testing.assert_allclose(
        numpy(scores.probabilities(outputs)), expected, rtol=1e-5
    )
    np.testing.assert_allclose(
        numpy(scores.cross_entropy(TARGETS, outputs)),
        binary(TARGETS[:, 1], sigmoid(LOGITS)[:, 0]),
        rtol=1e-5,
    )
    loss = scores.loss(label_smoothing=0.2)(TARGETS[:, 1:], outputs)
    smooth = 0.8 * TARGETS[:, 1] + 0.1
    expected = binary(smooth, sigmoid(LOGITS)[:, 0]).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert scores.num_classes(1) == 2


def test_sigmoids_are_decisions_of_their_own():
    scores = Sigmoids(True)
    logits = np.array([[-3.0, 0.5, 4.0], [2.0, -2.0, 0.1]], "float32")
    truth = np.array([[0, 1, 1], [1, 1, 0]])
    probabilities = numpy(scores.probabilities(logits))
    np.testing.assert_allclose(probabilities, sigmoid(logits), rtol=1e-5)
    np.testing.assert_allclose(
        numpy(scores.cross_entropy(truth, logits)),
        binary(truth, sigmoid(logits)),
        rtol=1e-4,
    )
    targets, weights = scores.judge(FixedThreshold(0.9), probabilities)
    np.testing.assert_array_equal(numpy(targets), [[0, 1, 1], [1, 0, 1]])
    np.testing.assert_array_equal(numpy(weights), [[1, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(
        numpy(scores.are_right(targets, truth)),
        [[True, True, True], [True, False, False]],
    )
    sure = np.maximum(sigmoid(logits), 1 - sigmoid(logits))
    np.testing.assert_allclose(
        numpy(scores.confidence(probabilities)), sure, rtol=1e-5
    )
    expected = binary(truth, sigmoid(logits)).mean()
    found = scores.mean_cross_entropy(truth, logits)
    assert found == pytest.approx(expected, rel=1e-4)
    np.testing.assert_array_equal(
        scores.decide(probabilities), [[0, 1, 1], [1, 0, 1]]
    )


def test_sharpened_targets_of_each_decision():
    policy = FixedThreshold(0.0, soft=True, temperature=0.5)
    probabilities = np.array([[0.25, 0.5, 0.9]], "float32")
    targets, weights = Sigmoids(False).judge(policy, probabilities)
    squares = probabilities**2, (1 - probabilities) ** 2
    expected = squares[0] / (squares[0] + squares[1])
    np.testing.assert_allclose(numpy(targets), expected, rtol=1e-5)
    np.testing.assert_array_equal(numpy(weights), np.ones((1, 3)))


def test_labels_of_each_kind():
    numbers, rows = np.array([1, 0]), np.array([[0, 1], [1, 0]])
    for scores in (ClassScores(False), ClassScores(True, sparse=True)):
        for labels in (numbers, rows, numbers[:, None]):
            np.testing.assert_array_equal(scores.as_decisions(labels), numbers)
            np.testing.assert_array_equal(scores.label_rows(labels, 2), rows)
    taken = ClassScores(True).as_loss_takes(numbers, 2)
    np.testing.assert_array_equal(taken, rows)
    taken = ClassScores(True, sparse=True).as_loss_takes(rows, 2)
    np.testing.assert_array_equal(taken, numbers)
    # Floats, so that soft pseudo-labels can stand beside them.
    taken = OneSigmoid(True).as_loss_takes(numbers, 2)
    assert taken.tolist() == [1.0, 0.0] and taken.dtype == "float32"
    several = np.array([[1, 1], [0, 0]])
    np.testing.assert_array_equal(Sigmoids(True).as_decisions(several), several)
    np.testing.assert_array_equal(
        Sigmoids(True).as_loss_takes(several, 2), several
    )


def test_pseudo_labels_of_each_kind():
    found = np.array([[0.25, 0.75], [0.9, 0.1]])
    for scores, expected in (
        (ClassScores(True), found),
        (ClassScores(True, sparse=True), [1, 0]),
        (OneSigmoid(True), [0.75, 0.1]),
        (Sigmoids(True), found),
    ):
        np.testing.assert_array_equal(scores.pseudo_labels(found), expected)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("kind", [OneSigmoid, Sigmoids])
def test_the_accuracy_of_logits(kind, soft):
    labels = np.array([[1.0], [1.0], [0.0]])
    metric = kind(True).accuracy(soft)
    metric.update_state(labels, np.array([[0.25], [-0.25], [-3.0]]))
    assert float(metric.result()) == pytest.approx(2 / 3)
    metric = kind(False).accuracy(soft)
    metric.update_state(labels, np.array([[0.75], [0.25], [0.1]]))
    assert float(metric.result()) == pytest.approx(2 / 3)
    if soft:
        labels = np.array([0.75, 0.75, 0.25])
        metric.update_state(labels, np.array([[0.6], [0.9], [0.6]]))
        assert float(metric.result()) == pytest.approx(4 / 6)


def test_weighted_mean():
    losses = np.array([[1.0, 3.0], [5.0, 7.0]])
    of_images, of_decisions = np.array([1.0, 0.5]), np.array([[1, 0], [1, 1.0]])

    def mean(*parts):
        tensors = map(ops.convert_to_tensor, parts)
        return numpy(weighted_mean(*tensors)).tolist()

    assert mean(of_images, losses) == [2.0, 3.0]
    assert mean(of_decisions, losses) == [0.5, 6.0]
    assert mean(of_images, losses[:, 0]) == [1.0, 2.5]


def test_counts_of_classes():
    numbers = np.array([0, 2, 2])
    assert ClassScores(True).count_classes(numbers, 4).tolist() == [1, 0, 2, 0]
    rows = np.eye(4)[numbers]
    assert ClassScores(True).count_classes(rows, 4).tolist() == [1, 0, 2, 0]
    assert OneSigmoid(True).count_classes(np.ones((3, 1)), 2).tolist() == [0, 3]
    rows = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    assert Sigmoids(True).count_classes(rows, 3).tolist() == [1, 2, 0]
