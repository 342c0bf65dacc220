import numpy as np

from keras_fewlabels.data.epoch_slots import epoch_slots


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
