import numpy as np
import pytest

from keras_fewlabels.loops.class_balance import (
    are_uneven,
    check_balanced,
    class_weights,
)
from keras_fewlabels.policies.parts import ClassScores, OneSigmoid, Sigmoids


@pytest.mark.parametrize(
    "counts, expected",
    [([6, 6], False), ([6, 4], False), ([7, 4], True), ([3, 3, 0], False)],
    ids=str,
)
def test_more_than_half_as_many_again_are_uneven(counts, expected):
    assert are_uneven(np.array(counts)) is expected


def test_classes_of_any_size_count_alike():
    counts = np.array([10, 5, 0, 1])
    weights = class_weights(counts)
    np.testing.assert_allclose((counts * weights)[[0, 1, 3]], 16 / 3)
    assert (counts * weights).sum() == pytest.approx(counts.sum())


def test_several_labels_have_no_class_to_weigh():
    for balanced in (None, False):
        check_balanced(balanced, Sigmoids(True))
    for scores in (ClassScores(True), OneSigmoid(True)):
        check_balanced(True, scores)
    with pytest.raises(ValueError, match="needs `balanced=False`"):
        check_balanced(True, Sigmoids(True))
