import numpy as np
import pytest

from keras_fewlabels.evaluation.checked_pseudo_labels import (
    checked_pseudo_labels,
)


def test_labels_are_an_array_or_none():
    assert checked_pseudo_labels([0, -1, 2], 3).tolist() == [0, -1, 2]
    assert checked_pseudo_labels(None, 3) is None


@pytest.mark.parametrize("labels, message", [
    ([0, 1], "a class per image.*for 3 images"),
    ([0, 1, -2], "-1 where there is none"),
    ([0.0, 1, 2], "dtype=float64"),
    (np.full(3, -1), "must be a pseudo-label"),
])  # fmt: skip
def test_what_are_no_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        checked_pseudo_labels(labels, 3)
