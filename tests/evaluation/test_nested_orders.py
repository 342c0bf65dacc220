import numpy as np
import pytest

from keras_fewlabels.evaluation.nested_orders import (
    lent_sizes,
    nested_order,
    nested_sizes,
    stratified_folds,
)

LABELS = np.repeat([0, 1, 2], [40, 20, 5])


def test_every_beginning_has_the_classes_in_proportion():
    for seed in range(20):
        order = nested_order(LABELS, np.random.default_rng(seed))
        assert sorted(order) == list(range(65))
        labels = LABELS[order]
        assert set(labels[:3]) == {0, 1, 2}
        for size in range(3, 66):
            counts = np.bincount(labels[:size], minlength=3)
            np.testing.assert_allclose(
                counts, size * np.array([40, 20, 5]) / 65, atol=3
            )


def test_orders_differ():
    first, second = (
        nested_order(LABELS, np.random.default_rng(seed)) for seed in (0, 1)
    )
    assert (first != second).mean() > 0.8
    assert (LABELS[first] != LABELS[second]).any()


def test_folds_share_every_class():
    # Ten classes of five, where a fold in a fixed rhythm would take whole
    # classes away.
    for labels in (LABELS, np.tile(np.arange(10), 5)):
        folds = stratified_folds(labels, 5, np.random.default_rng(0))
        table = [np.bincount(labels[folds == fold]) for fold in range(5)]
        expected = np.bincount(labels) / 5
        np.testing.assert_allclose(table, [expected] * 5, atol=0.99)
        sizes = np.bincount(folds)
        assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize(
    "labels, classes, extra, expected",
    [
        (50, 10, (), [10, 13, 17, 22, 29, 38, 50]),
        # 2,500 / 75 and 2,500 / 100.
        (50, 10, (25, 50), [10, 13, 17, 22, 25, 29, 33, 38, 50]),
        (10, 10, (10,), [10]),
        (6, 10, (), [6]),
    ],
)
def test_sizes_are_in_equal_ratios(labels, classes, extra, expected):
    assert nested_sizes(labels, classes, extra) == expected


def test_lent_sizes_go_on_from_the_labels_there_are():
    assert lent_sizes(50, 90) == [65, 84, 108, 140]
    assert lent_sizes(50, 2) == [51, 52]
    assert lent_sizes(50, 0) == lent_sizes(50, -3) == []
