import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies import TopPerClass

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
def test_weights_are_how_often_an_image_is_seen(k):
    targets, weights = map(
        ops.convert_to_numpy, TopPerClass(k)(PROBABILITIES.astype("float32"))
    )
    np.testing.assert_array_equal(weights, by_hand(PROBABILITIES, k))
    np.testing.assert_array_equal(
        targets.argmax(axis=1), PROBABILITIES.argmax(axis=1)
    )
    assert (targets.max(axis=1) == 1).all()


def test_absent_classes_stay_absent():
    _, weights = TopPerClass(2)(np.array([[0.9, 0.1], [0.8, 0.2]], "float32"))
    assert ops.convert_to_numpy(weights).tolist() == [1, 1]


def test_choose_cuts_and_repeats():
    groups = [np.array([7, 2, 9]), np.array([4])]
    assert TopPerClass(2).choose(groups).tolist() == [7, 2, 4, 4]


@pytest.mark.parametrize("number", [0, -1, 2.5, None])
def test_errors(number):
    with pytest.raises(ValueError, match="`num_per_class` must be a positive"):
        TopPerClass(number)
