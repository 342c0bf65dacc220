import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from keras_fewlabels.evaluation.learning_curve import (
    cross_validated_errors,
    held_out_errors,
)

X, Y = load_digits(return_X_y=True)
X = X.astype("float32")
LABELED, OTHERS = (X[:60], Y[:60]), (X[500:700], Y[500:700])


def test_errors_fall_with_labels_and_agree_on_all_of_them():
    wrong = held_out_errors(
        LABELED, OTHERS, [10, 60], 10, 5, np.random.default_rng(0)
    )
    assert wrong.shape == (5, 2, 200)
    few, all_of_them = wrong.mean(axis=(0, 2))
    assert few > all_of_them + 0.05
    # In any order they are the same labels, and few are not.
    assert (wrong[:, 1] == wrong[0, 1]).mean() > 0.99
    assert (wrong[:, 0] != wrong[0, 0]).any()


def test_cross_validation_is_that_of_scikit_learn():
    features = X[:120] / np.sqrt((X**2).sum(axis=1).mean())
    wrong = cross_validated_errors(
        (features, Y[:120]), [30, 96], 10, 2, np.random.default_rng(0)
    )
    assert wrong.shape == (2, 2, 120)
    oracle = LogisticRegression(C=30, max_iter=300)
    expected = 1 - cross_val_score(oracle, features, Y[:120]).mean()
    few, most = wrong.mean(axis=(0, 2))
    assert abs(most - expected) < 0.03
    assert few > most


def test_half_of_the_images_lends_labels_to_measure_the_other():
    # Features that know the class of what is held out, but not which it is:
    # only a head with lent labels can be right.
    truth = np.arange(40) % 2
    held_out = np.eye(4)[2 + truth], truth
    labeled = np.eye(4)[truth[:10]], truth[:10]
    wrong = held_out_errors(
        labeled, held_out, [10, 20, 30], 2, 3, np.random.default_rng(0)
    )
    assert wrong.shape == (3, 3, 40)
    np.testing.assert_allclose(wrong[:, 0].mean(axis=1), 0.5)
    assert not wrong[:, 1:].any()
