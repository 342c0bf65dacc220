import numpy as np
import pytest

from keras_fewlabels.evaluation.frozen_features.head_kinds import (
    SIGMOIDS,
    SOFTMAX,
    kind_of,
    softmax,
)
from keras_fewlabels.evaluation.frozen_features.neighbor_graph import (
    NeighborGraph,
)
from keras_fewlabels.policies.parts import ClassScores, OneSigmoid, Sigmoids

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (20, 4))
TRUTH = (RNG.random((20, 4)) < [0.5, 0.3, 0.2, 0.1]).astype("float32")


@pytest.mark.parametrize(
    "scores, kind",
    [
        (ClassScores(True), SOFTMAX),
        (OneSigmoid(True), SOFTMAX),
        (Sigmoids(True), SIGMOIDS),
    ],
)
def test_the_kind_of_a_classifier(scores, kind):
    assert kind_of(scores) is kind


@pytest.mark.parametrize("kind", [SOFTMAX, SIGMOIDS])
def test_probabilities_and_the_logits_that_mean_them(kind):
    probabilities = kind.probabilities(LOGITS)
    back = kind.probabilities(kind.logits(probabilities))
    np.testing.assert_allclose(back, probabilities, atol=1e-9)
    far = kind.probabilities(np.array([[-900.0, 900.0]]))
    np.testing.assert_allclose(far, [[0, 1]], atol=1e-9)


def test_softmax_shares_out_what_sigmoids_give_each():
    np.testing.assert_allclose(SOFTMAX.probabilities(LOGITS).sum(axis=1), 1)
    np.testing.assert_allclose(
        SIGMOIDS.probabilities(LOGITS), 1 / (1 + np.exp(-LOGITS))
    )


def test_the_likelihood_of_the_labels_of_an_image():
    yes = 1 / (1 + np.exp(-LOGITS))
    of_label = np.where(TRUTH, yes, 1 - yes)
    np.testing.assert_allclose(
        SIGMOIDS.log_likelihood(LOGITS, TRUTH), np.log(of_label).sum(axis=1)
    )
    one_hot = np.eye(4)[np.arange(20) % 4]
    of_class = softmax(LOGITS)[np.arange(20), np.arange(20) % 4]
    np.testing.assert_allclose(
        SOFTMAX.log_likelihood(LOGITS, one_hot), np.log(of_class)
    )


def test_sharpened():
    probabilities = np.array([[0.75, 0.25]])
    for kind in (SOFTMAX, SIGMOIDS):
        np.testing.assert_allclose(kind.sharpened(probabilities), [[0.9, 0.1]])
    # Each by itself, so that all may become surer.
    found = SIGMOIDS.sharpened(np.array([[0.75, 0.75, 0.5]]))
    np.testing.assert_allclose(found, [[0.9, 0.9, 0.5]])


def test_confidence_and_decisions():
    probabilities = np.array([[0.75, 0.125, 0.125]])
    assert SOFTMAX.confidence(probabilities) == [0.75]
    assert SIGMOIDS.confidence(probabilities) == pytest.approx(2.5 / 3)
    logits, truth = np.array([[1.0, 2.0, -1.0]]), np.array([[0, 1, 1]])
    assert SOFTMAX.are_right(logits, truth).tolist() == [True]
    assert SIGMOIDS.are_right(logits, truth).tolist() == [[False, True, False]]


def rows_on_a_line():
    """A graph of two groups, and which images have a label."""
    places = np.r_[np.linspace(0, 0.4, 12), np.linspace(1.2, 1.5, 12)]
    graph = NeighborGraph(np.stack([np.cos(places), np.sin(places)], axis=1))
    is_known = np.zeros(24, bool)
    is_known[[0, 5, 11]] = True
    return graph, is_known


def test_labels_spread_by_themselves():
    graph, is_known = rows_on_a_line()
    targets = np.zeros((24, 3), "float32")
    targets[[0, 5]] = [[1, 0, 1], [1, 1, 0]]
    found = SIGMOIDS.spread(graph, targets, is_known)
    alone = SIGMOIDS.spread(graph, targets[:, 1:2], is_known)
    np.testing.assert_allclose(found[:, 1:2], alone, rtol=1e-5)
    assert found[5, 1] > found[0, 1] and found[0, 2] > found[11, 2]
    assert found.min() >= 0 and found.max() <= 1
    # Nothing arrives at the other group: its images are like all others.
    np.testing.assert_allclose(
        found[12:], np.tile([2 / 3, 1 / 3, 1 / 3], (12, 1)), rtol=1e-4
    )


def test_a_label_of_all_known_images_spreads_to_all_images():
    graph, is_known = rows_on_a_line()
    targets = is_known[:, None].astype("float32")
    found = SIGMOIDS.spread(graph, targets, is_known)
    np.testing.assert_allclose(found, 1, rtol=1e-4)


def test_a_shift_keeps_the_share_of_each_label():
    shares = np.array([0.5, 0.25, 0.1, 0.9])
    shift = SIGMOIDS.shift(3 * LOGITS - 5, shares)
    found = SIGMOIDS.probabilities(3 * LOGITS - 5 + shift).mean(axis=0)
    np.testing.assert_allclose(found, shares, atol=1e-6)
    assert not SOFTMAX.shift(LOGITS, shares).any()


def test_classes_that_teach_nothing():
    truth = np.array([[1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 1]])
    np.testing.assert_array_equal(SOFTMAX.is_unknown(truth), [0, 1, 0, 0])
    unknown = SIGMOIDS.is_unknown(truth)
    np.testing.assert_array_equal(unknown, [1, 1, 0, 0])
    bias = SIGMOIDS.bias_of_unknown(truth[:, unknown], np.zeros(4))
    # One half of four images more has the other answer.
    np.testing.assert_allclose(SIGMOIDS.probabilities(bias), [0.875, 0.125])


def test_groups_of_images_that_have_something_in_common():
    truth = np.eye(3)[[2, 0, 2]]
    assert SOFTMAX.groups(truth).tolist() == [2, 0, 2]
    assert SIGMOIDS.groups(truth).tolist() == [0, 0, 0]


def test_folds_of_classes():
    classes = np.repeat([0, 1, 2], [7, 3, 2])
    folds = SOFTMAX.folds(np.eye(3)[classes], seed=0)
    counts = [np.bincount(folds[classes == c], minlength=5) for c in range(3)]
    assert np.ptp(counts[0]) == 1 and max(counts[1]) == max(counts[2]) == 1
    # A class of one image would have none left.
    assert SOFTMAX.folds(np.eye(3)[[0, 0, 1]], seed=0) is None


@pytest.mark.parametrize("seed", range(5))
def test_each_label_is_as_even_in_the_folds_as_can_be(seed):
    random = np.random.default_rng(seed)
    shares = [0.5, 0.3, 0.2, 0.1, 0.05]
    truth = (random.random((97, 5)) < shares).astype("float32")
    folds = SIGMOIDS.folds(truth, seed)
    assert np.ptp(np.bincount(folds, minlength=5)) <= 2
    for label in truth.T:
        counts = np.bincount(folds[label > 0], minlength=5)
        assert np.ptp(counts) <= 2
    # Another seed, other folds; the same seed, the same.
    np.testing.assert_array_equal(SIGMOIDS.folds(truth, seed), folds)
    assert (SIGMOIDS.folds(truth, seed + 1) != folds).any()


def test_two_images_of_a_rare_label_are_in_different_folds():
    truth = np.ones((30, 3))
    truth[:, 1:] = 0
    truth[[3, 17], 1] = truth[[3, 20], 2] = 1
    for seed in range(10):
        folds = SIGMOIDS.folds(truth, seed)
        assert folds[3] not in (folds[17], folds[20])


def test_few_images_are_left_out_one_by_one():
    # Also an image without any label, and a label of one image.
    truth = np.array([[1, 0], [1, 0], [0, 0]])
    assert sorted(SIGMOIDS.folds(truth, 0)) == [0, 1, 2]
    assert SIGMOIDS.folds(truth[:1], 0) is None
