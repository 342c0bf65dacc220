import numpy as np
import pytest

from keras_fewlabels.data.pseudo_labeled_epoch import (
    PseudoLabeledEpoch,
    stale_batches,
)

CHOSEN = np.array([1, 3])


def epoch(targets, true_labels, number=0, seed=5):
    return PseudoLabeledEpoch(number, CHOSEN, targets, true_labels, 9, seed)


def test_every_epoch_has_an_order_of_its_own_and_always_the_same():
    targets, true = np.zeros(4, int), np.arange(3)
    orders = [epoch(targets, true, number).slots for number in (0, 1)]
    assert (orders[0] != orders[1]).any()
    np.testing.assert_array_equal(epoch(targets, true, 1).slots, orders[1])
    assert (epoch(targets, true, 1, seed=6).slots != orders[1]).any()
    in_order = epoch(targets, true, seed=None).slots
    assert in_order.tolist() == [0, 1, 2, 0, 1, 2, 0, 4, 6]


@pytest.mark.parametrize(
    "true_labels, expected",
    [
        (np.zeros(3, "uint8"), [2, 0]),
        (np.zeros((3, 1), "int64"), [[2], [0]]),
        (np.zeros((3, 4), "float16"), [[0, 0, 1, 0], [1, 0, 0, 0]]),
    ],
)
def test_classes_take_the_form_of_true_labels(true_labels, expected):
    labels = epoch(np.array([0, 2, 1, 0]), true_labels).pseudo_labels(CHOSEN)
    assert labels.dtype == true_labels.dtype
    assert labels.tolist() == expected


def test_soft_targets_sum_to_one_again():
    targets = np.random.default_rng(0).dirichlet([1, 2, 3], 4)
    labels = epoch(
        targets.astype("float16"), np.zeros((3, 3), "float32")
    ).pseudo_labels(CHOSEN)
    np.testing.assert_allclose(labels, targets[CHOSEN], atol=1e-3)
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-6)


def test_error_says_what_to_do():
    with pytest.raises(ValueError, match=r"without `.repeat\(\)`"):
        raise stale_batches()
