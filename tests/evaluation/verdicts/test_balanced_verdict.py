import numpy as np
import pytest

from keras_fewlabels.evaluation.verdicts import (
    compare_predictions,
    compare_recalls,
)


def test_each_class_counts_alike():
    # 880 of 900 and 20 of 100 are right, then 770 and 90.
    y = np.repeat([0, 1], [900, 100])
    numbers = np.concatenate([np.arange(900), np.arange(100)])
    before = np.where(numbers < np.where(y == 0, 880, 20), y, 1 - y)
    after = np.where(numbers < np.where(y == 0, 770, 90), y, 1 - y)
    verdict = compare_recalls(before, after, y)
    assert verdict.difference == pytest.approx((0.7 - 110 / 900) / 2)
    assert verdict.is_better is True
    assert compare_predictions(before, after, y).is_better is False
    assert compare_recalls(after, before, y).is_better is False
    assert verdict.to_dict()["num_images"] == 1000
    # Scores and one-hot rows are read likewise.
    rows = np.eye(2)[before], np.eye(2)[after], np.eye(2)[y]
    assert compare_recalls(*rows) == verdict


def test_of_one_class_the_interval_is_that_of_the_accuracy():
    y = np.zeros(50, int)
    before, after = y.copy(), y.copy()
    before[:9] = after[5:12] = 1
    expected = compare_predictions(before, after, y)
    verdict = compare_recalls(before, after, y)
    assert verdict.difference == pytest.approx(expected.difference)
    assert verdict.interval == pytest.approx(expected.interval)


@pytest.mark.parametrize(
    "counts, rates",
    [
        ([200, 40, 20], [[0.9, 0.85], [0.6, 0.7], [0.3, 0.5]]),
        ([3] * 50, [[0.3, 0.8]] * 50),
        ([5] * 100, [[0.4, 0.8]] * 100),
        ([1] * 100, [[0.4, 0.8]] * 100),
        ([30] * 2, [[0.9, 0.3], [0.3, 0.9]]),
    ],
)
def test_the_interval_holds_the_true_difference(counts, rates):
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(len(counts)), counts)
    rates = np.array(rates)
    expected = np.diff(rates, axis=1).mean()
    held = 0
    for _ in range(400):
        right = random.random((len(y), 2)) < rates[y]
        before, after = np.where(right, y[:, None], len(rates)).T
        low, high = compare_recalls(before, after, y).interval
        held += low <= expected <= high
    assert 0.92 <= held / 400 <= 0.99


def test_a_class_of_one_image_says_little():
    y = np.array([0] * 30 + [1])
    before, after = np.zeros(31, int), y
    verdict = compare_recalls(before, after, y)
    assert verdict.difference == 0.5 and verdict.is_better is None
