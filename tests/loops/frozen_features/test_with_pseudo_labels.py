import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_fewlabels.loops.frozen_features.with_pseudo_labels import (
    with_pseudo_labels,
)

X, Y = load_digits(return_X_y=True)


@pytest.mark.parametrize("sparse", [True, False])
def test_pseudo_labels_have_the_form_of_labels(sparse):
    labels = Y[:100] if sparse else np.eye(10, dtype="float32")[Y[:100]]
    features, joined, weights = with_pseudo_labels(
        (X[:100], labels, None), X[100:600], 10, sparse
    )
    np.testing.assert_array_equal(features, X[:600])
    np.testing.assert_array_equal(joined[:100], labels)
    assert joined.dtype == labels.dtype and joined.shape[1:] == labels.shape[1:]
    found = joined if sparse else joined.argmax(axis=1)
    assert (found[100:] == Y[100:600]).mean() > 0.85
    np.testing.assert_allclose(weights, np.r_[np.ones(100), np.full(500, 0.2)])


def test_the_users_weights_stay():
    given = np.linspace(1, 2, 100)
    *_, weights = with_pseudo_labels(
        (X[:100], Y[:100], given), X[100:110], 10, True
    )
    np.testing.assert_array_equal(weights[:100], given)
    np.testing.assert_allclose(weights[100:], 0.2)


def test_maps_of_features_are_averaged_to_find_labels():
    maps = X.reshape(-1, 8, 8, 1) * np.ones(3)
    features, labels, _ = with_pseudo_labels(
        (maps[:50], Y[:50] % 2, None), maps[50:60], 2, True
    )
    assert features.shape == (60, 8, 8, 3) and labels.shape == (60,)
