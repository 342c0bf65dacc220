import numpy as np
import pytest

from keras_fewlabels.data.batches.pseudo_labeled_epoch import (
    PseudoLabeledEpoch,
    epoch_slots,
    stale_batches,
)

CHOSEN = np.array([1, 3])


def epoch(targets, true_labels, number=0, seed=5, known=None):
    return PseudoLabeledEpoch(
        number, CHOSEN, targets, true_labels, 9, seed, known
    )


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


@pytest.mark.parametrize(
    "dtype, expected",
    [("int32", [[0, 2], [-1, 1]]), ("float16", [[0.25, 2], [-1, 0.75]])],
)
def test_several_labels_are_marked_where_they_are_unknown(dtype, expected):
    targets = np.array([[0, 0], [0.25, 0.75], [0, 0], [0.25, 0.75]])
    if dtype == "int32":
        targets = targets.round()
    known = np.array([[False] * 2, [True, False], [True] * 2, [False, True]])
    labels = epoch(
        targets.astype(dtype), np.zeros((3, 2), "float32"), known=known
    ).pseudo_labels(CHOSEN)
    assert labels.dtype == "float32"
    assert labels.tolist() == expected


def test_the_error_tells_how_to_mend_it():
    with pytest.raises(ValueError, match=r"without `.repeat\(\)`"):
        raise stale_batches()


def counts(slots, num_labeled, num_unlabeled):
    seen = np.bincount(slots, minlength=num_labeled + num_unlabeled)
    return seen[:num_labeled].tolist(), seen[num_labeled:].tolist()


def test_pseudo_labels_come_once_and_true_ones_fill_the_rest():
    slots = epoch_slots(3, np.array([1, 4, 4]), 11, np.random.default_rng(0))
    true, pseudo = counts(slots, 3, 6)
    assert pseudo == [0, 1, 0, 0, 2, 0]
    assert sorted(true) == [2, 3, 3]


def test_without_shuffling_true_labels_come_first():
    slots = epoch_slots(2, np.array([5, 0]), 5)
    assert slots.tolist() == [0, 1, 0, 2, 7]


def test_too_short_epochs_thin_out_both_alike():
    chosen = np.arange(60)
    first, second = (
        epoch_slots(20, chosen, 40, np.random.default_rng(seed))
        for seed in (1, 2)
    )
    for slots in (first, second):
        true, pseudo = counts(slots, 20, 60)
        assert sum(true) == 10
        assert sum(pseudo) == 30
        assert max(pseudo) == 1
    assert set(first) != set(second)


def test_only_true_labels_and_none():
    nothing = np.empty(0, "int64")
    assert epoch_slots(2, nothing, 3).tolist() == [0, 1, 0]
    assert epoch_slots(2, nothing, 0).tolist() == []
