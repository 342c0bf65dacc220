import numpy as np
import pytest

from keras_fewlabels.policies import TopPerClass
from keras_fewlabels.policies.balance import balance_classes

CONFIDENCE = np.linspace(0.2, 0.9, 10)
LABELS = np.array([2, 0, -1, 0, 0, 2, 0, -1, 1, 0])  # 5, 1 and 2 images


@pytest.mark.parametrize(
    "balance, counts",
    [
        (None, [5, 1, 2]),
        ("repeat", [5, 5, 5]),
        ("truncate", [1, 1, 1]),
        (TopPerClass(3), [3, 3, 3]),
    ],
)
def test_counts(balance, counts):
    chosen = balance_classes(
        LABELS, CONFIDENCE, balance, np.random.default_rng(0)
    )
    assert np.bincount(LABELS[chosen]).tolist() == counts


def test_repeats_are_spread_over_the_images_of_a_class():
    labels = np.repeat([0, 1], [70, 30])
    chosen = balance_classes(labels, labels, "repeat", np.random.default_rng(0))
    counts = np.bincount(chosen)
    assert set(counts[:70]) == {1}
    assert sorted(counts[70:]) == [2] * 20 + [3] * 10


def test_absent_classes_stay_absent():
    chosen = balance_classes(
        np.array([3, 3, 1]), np.ones(3), "repeat", np.random.default_rng(0)
    )
    assert sorted(chosen[:2].tolist() + chosen[2:].tolist()) == [0, 1, 2, 2]


def test_nothing_selected():
    chosen = balance_classes(
        np.full(4, -1), np.ones(4), "repeat", np.random.default_rng(0)
    )
    assert chosen.tolist() == []


def test_top_per_class_takes_the_surest_and_ties_at_random():
    chosen = balance_classes(
        LABELS, CONFIDENCE, TopPerClass(2), np.random.default_rng(0)
    )
    assert sorted(chosen) == [0, 5, 6, 8, 8, 9]
    tied = [
        balance_classes(
            np.zeros(9, int),
            np.ones(9),
            TopPerClass(3),
            np.random.default_rng(seed),
        ).tolist()
        for seed in range(3)
    ]
    assert tied[0] != tied[1] != tied[2]
