import numpy as np
import pytest

from keras_fewlabels.evaluation.pool import class_shares as module
from keras_fewlabels.evaluation.pool.class_shares import class_shares

# Columns are true classes: a third of the dogs are taken for cats.
CONFUSION = np.array([[0.95, 1 / 3, 0.0], [0.05, 2 / 3, 0.1], [0.0, 0.0, 0.9]])
SHARES = np.array([0.2, 0.7, 0.1])


def predictions(shares, count, seed=0):
    """Returns predictions of classes, one-hot, and the true classes."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(3), np.round(shares * count).astype(int))
    draws = [rng.choice(3, p=CONFUSION[:, number]) for number in truth]
    return np.eye(3)[draws], truth


def test_many_labels_adjust_the_counts():
    probabilities, _ = predictions(SHARES, 4000)
    hidden, classes = predictions(np.full(3, 1 / 3), 30_000, seed=1)
    found = class_shares(probabilities, hidden, classes)
    assert np.abs(probabilities.mean(axis=0) - SHARES).max() > 0.15
    np.testing.assert_allclose(found.shares, SHARES, atol=0.03)
    assert (found.intervals[:, 0] <= SHARES).all()
    assert (found.intervals[:, 1] >= SHARES).all()
    assert np.diff(found.intervals, axis=1).max() < 0.12


def test_few_labels_leave_the_mean_predictions():
    probabilities, _ = predictions(SHARES, 4000)
    hidden, classes = predictions(np.full(3, 1 / 3), 12, seed=1)
    found = class_shares(probabilities, hidden, classes)
    mean = probabilities.mean(axis=0)
    assert np.abs(found.shares - mean).max() < 0.05
    # And say little.
    assert np.diff(found.intervals, axis=1).max() > 0.15
    assert (found.intervals[:, 0] <= SHARES).all()
    assert (found.intervals[:, 1] >= SHARES).all()


def test_shares_are_those_that_the_confusion_inverts(monkeypatch):
    monkeypatch.setattr(module, "_NUM_ASSUMED", 0)
    monkeypatch.setattr(module, "_NUM_STEPS", 3000)
    hidden, classes = predictions(np.full(3, 1 / 3), 900, seed=1)
    counted = np.stack(
        [hidden[classes == number].mean(axis=0) for number in range(3)], axis=1
    )
    mean = counted @ SHARES
    found = class_shares(mean[None], hidden, classes)
    np.testing.assert_allclose(
        found.shares, np.linalg.solve(counted, mean), atol=1e-3
    )


def test_a_symmetric_confusion_keeps_the_mean_predictions():
    rng = np.random.default_rng(0)
    counted = rng.gamma(1, size=(4, 4)) + 20 * np.eye(4)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    confusion = module._symmetric(counted, shares)
    np.testing.assert_allclose(confusion.sum(axis=0), 1)
    np.testing.assert_allclose(confusion @ shares, shares)
    flows = confusion * shares
    np.testing.assert_allclose(flows, flows.T)


@pytest.mark.parametrize("last, expected", [(0.0, [2]), (0.2, [])])
def test_a_class_next_to_nothing_is_predicted_for_is_missing(last, expected):
    shares = np.array([0.5, 0.5 - last, last])
    probabilities = np.eye(3)[
        np.repeat(np.arange(3), (100 * shares).astype(int))
    ]
    classes = np.arange(30) % 3
    found = class_shares(probabilities, np.eye(3)[classes], classes)
    assert found.missing == expected
    assert found.shares.sum() == pytest.approx(1)


def test_the_seed_fixes_the_intervals():
    probabilities, _ = predictions(SHARES, 400)
    hidden, classes = predictions(SHARES, 40, seed=1)
    one, same, other = (
        class_shares(probabilities, hidden, classes, seed).intervals
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
