import keras
import numpy as np
import pytest

from keras_fewlabels.policies import TopPerClass
from keras_fewlabels.policies.top_per_class import balance_classes, top_share

CONFIDENCE = np.linspace(0.2, 0.9, 10)
LABELS = np.array([2, 0, -1, 0, 0, 2, 0, -1, 1, 0])  # 5, 1 and 2 images
PROBABILITIES = np.random.default_rng(0).dirichlet([3, 2, 1], 40)


def by_hand(probabilities, k):
    """The k surest of each class, in turn until the class is seen k times."""
    times = np.zeros(len(probabilities))
    for number in range(probabilities.shape[1]):
        members = [
            (row.max(), -index)
            for index, row in enumerate(probabilities)
            if row.argmax() == number
        ]
        surest = [-index for _, index in sorted(members, reverse=True)[:k]]
        for turn in range(k if surest else 0):
            times[surest[turn % len(surest)]] += 1
    return times


@pytest.mark.parametrize("k", [1, 3, 8, 30])
def test_top_per_class_by_hand(k):
    chosen = balance_classes(
        PROBABILITIES.argmax(axis=1),
        PROBABILITIES.max(axis=1),
        TopPerClass(k),
        np.random.default_rng(0),
    )
    times = np.bincount(chosen, minlength=40)
    np.testing.assert_array_equal(times, by_hand(PROBABILITIES, k))


def test_choose_cuts_and_repeats():
    groups = [np.array([7, 2, 9]), np.array([4])]
    assert TopPerClass(2).choose(groups).tolist() == [7, 2, 4, 4]


def test_config_round_trip():
    config = keras.saving.serialize_keras_object(TopPerClass(7))
    assert keras.saving.deserialize_keras_object(config) == TopPerClass(7)


@pytest.mark.parametrize("number", [0, -1, 2.5, None])
def test_errors(number):
    with pytest.raises(ValueError, match="`num_per_class` must be an int, 1"):
        TopPerClass(number)


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


@pytest.mark.parametrize(
    "share, marked",
    [(0.0, []), (0.2, [1]), (0.4, [1, 3]), (0.7, [1, 2, 3, 4]), (1, range(5))],
)
def test_top_share_marks_the_most_confident(share, marked):
    confidence = np.array([0.3, 0.9, 0.5, 0.9, 0.4])
    assert np.flatnonzero(top_share(confidence, share)).tolist() == list(marked)


def test_top_share_of_each_of_several_labels():
    confidence = np.array([[0.9, 0.5], [0.8, 0.5], [0.6, 0.7], [0.7, 0.9]])
    marked = top_share(confidence, 0.5)
    assert marked.T.tolist() == [
        [True, True, False, False],
        [False, False, True, True],
    ]
    assert not top_share(confidence, 0.0).any()
