import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from keras_fewlabels.evaluation.frozen_features.head_kinds import SIGMOIDS
from keras_fewlabels.evaluation.frozen_features.linear_head import (
    PENALTY,
    FeatureSpace,
    LinearHead,
    fit_logistic,
)

X, Y = load_digits(return_X_y=True)
TARGETS = np.eye(10)[Y]


def test_heads_are_those_of_scikit_learn():
    space = FeatureSpace(X[:200])
    head = space.head(fit_logistic(space.coordinates, TARGETS[:200]))
    centred = X - X[:200].mean(axis=0)
    centred /= np.sqrt(np.mean(np.sum(centred[:200] ** 2, axis=1)))
    oracle = LogisticRegression(C=1 / PENALTY, max_iter=2000)
    oracle.fit(centred[:200], Y[:200])
    found = head.probabilities(X[500:])
    np.testing.assert_allclose(
        found, oracle.predict_proba(centred[500:]), atol=0.05
    )


SEVERAL = np.stack([Y < 5, Y % 2 == 0, Y > 7], axis=1).astype("float32")


def test_heads_of_several_labels_are_those_of_scikit_learn():
    space = FeatureSpace(X[:200])
    inputs = space.coordinates
    weights = fit_logistic(inputs, SEVERAL[:200], kind=SIGMOIDS)
    head = space.head(weights, SIGMOIDS)
    found = head.probabilities(X[:200])
    for label, column in zip(SEVERAL[:200].T, found.T, strict=True):
        oracle = LogisticRegression(C=1 / PENALTY, max_iter=2000)
        oracle.fit(inputs, label)
        expected = oracle.predict_proba(inputs)[:, 1]
        np.testing.assert_allclose(column, expected, atol=0.05)
    for changed in (head.cooled(2.0), head.mean_with(head)):
        assert changed.kind is SIGMOIDS


def test_each_of_several_labels_is_learned_by_itself():
    inputs = FeatureSpace(X[:60]).coordinates
    together = fit_logistic(inputs, SEVERAL[:60], kind=SIGMOIDS)
    alone = fit_logistic(inputs, SEVERAL[:60, 1:2], kind=SIGMOIDS)
    np.testing.assert_allclose(together[:, 1:2], alone, atol=1e-5)


def test_of_no_image_or_of_all_a_label_is_as_likely_everywhere():
    inputs = FeatureSpace(X[:60]).coordinates
    targets = np.stack([SEVERAL[:60, 0], np.zeros(60), np.ones(60)], axis=1)
    weights = fit_logistic(inputs, targets, kind=SIGMOIDS)
    assert weights[:-1, 0].any() and not weights[:-1, 1:].any()
    np.testing.assert_allclose(
        SIGMOIDS.probabilities(weights[-1, 1:]),
        [0.5 / 61, 60.5 / 61],
        rtol=1e-5,
    )


def test_a_cooled_head_divides_its_logits():
    head = LinearHead(np.array([[2.0, 0.0]]), np.array([1.0, 0.0]))
    # Logits (3, 0), divided by 3.
    np.testing.assert_allclose(
        head.cooled(3.0).probabilities(np.ones((1, 1))),
        [[1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]],
    )


def test_an_image_that_counts_twice_is_like_two_images():
    space = FeatureSpace(X[:60])
    twice = np.r_[np.arange(60), np.arange(30)]
    counts = np.r_[np.full(30, 2.0), np.ones(30)]
    counted = fit_logistic(space.coordinates, TARGETS[:60], counts)
    repeated = fit_logistic(space.coordinates[twice], TARGETS[twice])
    np.testing.assert_allclose(counted, repeated, atol=1e-3)


def test_weights_of_a_head_are_those_it_was_made_of():
    for count in (40, 300):
        space = FeatureSpace(X[:count])
        weights = fit_logistic(space.coordinates, TARGETS[:count])
        back = space.weights(space.head(weights))
        np.testing.assert_allclose(back, weights, atol=2e-3)


def test_class_without_a_label_is_not_predicted():
    space = FeatureSpace(X)
    odd = Y % 2 == 1
    weights = fit_logistic(space.coordinates[odd][:200], TARGETS[odd][:200])
    predicted = space.head(weights).probabilities(X).argmax(axis=1)
    assert set(np.unique(predicted)) == {1, 3, 5, 7, 9}


def test_equal_features_give_the_shares_of_the_labels():
    space = FeatureSpace(np.ones((8, 3)))
    targets = np.eye(2)[[0, 0, 0, 0, 0, 0, 1, 1]]
    head = space.head(fit_logistic(space.coordinates, targets))
    np.testing.assert_allclose(
        head.probabilities(np.ones((1, 3))), [[0.75, 0.25]], atol=0.01
    )


def test_mean_of_two_heads_has_the_mean_of_their_logits():
    space = FeatureSpace(X[:100])
    heads = [
        space.head(fit_logistic(space.coordinates[part], TARGETS[:100][part]))
        for part in (slice(0, 50), slice(50, 100))
    ]
    logits = [X @ head.kernel + head.bias for head in heads]
    mean = heads[0].mean_with(heads[1])
    np.testing.assert_allclose(
        X @ mean.kernel + mean.bias, np.mean(logits, axis=0), atol=1e-3
    )


def test_offsets_are_part_of_the_logits_in_the_fit_alone():
    coordinates = FeatureSpace(X[:100]).coordinates
    offsets = np.log(np.arange(1.0, 11)).astype("float32")
    plain = fit_logistic(coordinates, TARGETS[:100])
    found = fit_logistic(coordinates, TARGETS[:100], offsets=offsets)
    # The bias is not shrunk, so that it takes up what is the same for all.
    np.testing.assert_allclose(found[:-1], plain[:-1], atol=0.02)
    shift = found[-1] + offsets - plain[-1]
    assert np.ptp(shift) < 0.1
