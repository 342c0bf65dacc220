import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from keras_fewlabels.loops.noisy_student.phases import softmax_head as module
from keras_fewlabels.loops.noisy_student.phases.softmax_head import (
    softmax_head_predictions,
)

X, Y = load_digits(return_X_y=True)
X = X.astype("float32")


def test_heads_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    chosen = np.stack([rng.permutation(300)[:80] for _ in range(3)])
    found = softmax_head_predictions(X[:300], Y[:300], chosen, X[500:900], 10)
    for row, numbers in zip(found, chosen, strict=True):
        centred = X[numbers] - X[numbers].mean(axis=0)
        scale = np.sqrt((centred**2).sum(axis=1).mean())
        oracle = LogisticRegression(C=30, max_iter=2000)
        oracle.fit(centred / scale, Y[numbers])
        queries = (X[500:900] - X[numbers].mean(axis=0)) / scale
        assert (oracle.predict(queries) == row).mean() > 0.985


def test_pieces_change_nothing(monkeypatch):
    chosen = np.arange(120).reshape(6, 20)
    whole = softmax_head_predictions(X, Y, chosen, X[500:600], 10)
    monkeypatch.setattr(module, "_PIECE", 2 * 20 * 64)
    parts = softmax_head_predictions(X, Y, chosen, X[500:600], 10)
    np.testing.assert_array_equal(parts, whole)


def test_class_without_a_label_is_not_predicted():
    chosen = np.flatnonzero(Y[:200] % 2 == 1)[None, :40]
    found = softmax_head_predictions(X, Y, chosen, X[500:], 12)
    assert set(np.unique(found)) == {1, 3, 5, 7, 9}


def test_one_class_and_equal_features():
    found = softmax_head_predictions(
        np.ones((4, 3)), np.full(4, 2), np.array([[0, 1]]), np.ones((5, 3)), 4
    )
    assert found.tolist() == [[2] * 5]
