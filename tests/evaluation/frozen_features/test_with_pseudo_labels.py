import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_fewlabels.evaluation.frozen_features.with_pseudo_labels import (
    with_pseudo_labels,
)
from keras_fewlabels.policies.parts import ClassScores, OneSigmoid, Sigmoids

X, Y = load_digits(return_X_y=True)


@pytest.mark.parametrize("sparse", [True, False])
def test_pseudo_labels_have_the_form_of_labels(sparse):
    labels = Y[:100] if sparse else np.eye(10, dtype="float32")[Y[:100]]
    features, joined, weights = with_pseudo_labels(
        (X[:100], labels, None), X[100:600], 10, ClassScores(False, sparse)
    )
    np.testing.assert_array_equal(features, X[:600])
    np.testing.assert_array_equal(joined[:100], labels)
    assert joined.dtype == labels.dtype and joined.shape[1:] == labels.shape[1:]
    found = joined if sparse else joined.argmax(axis=1)
    assert (found[100:] == Y[100:600]).mean() > 0.85
    np.testing.assert_allclose(weights, np.r_[np.ones(100), np.full(500, 0.2)])


def test_one_hot_labels_of_whole_numbers_become_floats():
    one_hot = np.eye(10, dtype="int64")[Y[:100]]
    _, joined, _ = with_pseudo_labels(
        (X[:100], one_hot, None), X[100:200], 10, ClassScores(False)
    )
    assert joined.dtype == "float32"
    np.testing.assert_array_equal(joined[:100], one_hot)
    np.testing.assert_allclose(joined[100:].sum(axis=1), 1, rtol=1e-5)


def test_the_users_weights_stay():
    given = np.linspace(1, 2, 100)
    *_, weights = with_pseudo_labels(
        (X[:100], Y[:100], given), X[100:110], 10, ClassScores(False, True)
    )
    np.testing.assert_array_equal(weights[:100], given)
    np.testing.assert_allclose(weights[100:], 0.2)


def test_maps_of_features_are_averaged_to_find_labels():
    maps = X.reshape(-1, 8, 8, 1) * np.ones(3)
    features, labels, _ = with_pseudo_labels(
        (maps[:50], Y[:50] % 2, None), maps[50:60], 2, ClassScores(False, True)
    )
    assert features.shape == (60, 8, 8, 3) and labels.shape == (60,)


def test_of_one_sigmoid_the_probability_of_its_class():
    labels = (Y[:100, None] < 5).astype("int64")
    _, joined, _ = with_pseudo_labels(
        (X[:100], labels, None), X[100:600], 2, OneSigmoid(True)
    )
    assert joined.shape == (600, 1) and joined.dtype == "float32"
    np.testing.assert_array_equal(joined[:100], labels)
    assert ((joined[100:, 0] > 0.5) == (Y[100:600] < 5)).mean() > 0.8


def test_of_several_labels_a_probability_of_each():
    truth = np.stack([Y < 5, Y % 2 == 0, Y > 7], axis=1)
    _, joined, weights = with_pseudo_labels(
        (X[:100], truth[:100].astype("int64"), None),
        X[100:600],
        3,
        Sigmoids(True),
    )
    assert joined.shape == (600, 3) and joined.dtype == "float32"
    np.testing.assert_array_equal(joined[:100], truth[:100])
    assert joined.min() >= 0 and joined.max() <= 1
    assert ((joined[100:] > 0.5) == truth[100:600]).mean() > 0.85
    # They are no shares of one class.
    assert np.ptp(joined[100:].sum(axis=1)) > 1
    np.testing.assert_allclose(weights[100:], 0.2)


def test_a_balanced_classifier_finds_more_of_a_rare_class():
    rows = np.r_[np.flatnonzero(Y == 3)[:40], np.flatnonzero(Y == 8)[:3]]
    pool = np.r_[np.flatnonzero(Y == 3)[40:], np.flatnonzero(Y == 8)[3:]]
    num_rare = []
    for balanced in (False, True):
        _, joined, _ = with_pseudo_labels(
            (X[rows], (Y[rows] == 8).astype(int), None),
            X[pool],
            2,
            ClassScores(False, True),
            balanced,
        )
        found = joined[len(rows) :]
        num_rare.append(found[Y[pool] == 8].mean())
    assert num_rare[1] > num_rare[0]
