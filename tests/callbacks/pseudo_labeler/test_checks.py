"""Accepted values. `test_pseudo_labeler.py` has those that are refused."""

import numpy as np
import pytest

from keras_fewlabels.callbacks.pseudo_labeler.checks import (
    check_soft_targets,
    true_classes,
)


@pytest.mark.parametrize(
    "truth", [[2, 0, 1], [[2], [0], [1]], np.eye(3)[[2, 0, 1]]]
)
def test_truth_becomes_class_numbers(truth):
    assert true_classes(truth, 3).tolist() == [2, 0, 1]


def test_truth_may_be_missing():
    assert true_classes(None, 3) is None


def test_soft_targets_beside_one_hot_labels():
    check_soft_targets(True, np.eye(3))
    check_soft_targets(False, np.arange(3))
    # Those of one sigmoid unit are numbers from 0 to 1.
    check_soft_targets(True, np.arange(2.0))
    with pytest.raises(ValueError, match="astype"):
        check_soft_targets(True, np.arange(2))
    with pytest.raises(ValueError, match="one-hot true labels"):
        check_soft_targets(True, np.arange(3.0), one_sigmoid=False)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_soft_targets_beside_one_hot_labels_of_whole_numbers(dtype):
    check_soft_targets(False, np.eye(3, dtype=dtype))
    with pytest.raises(ValueError, match=f"of floats.*dtype {dtype}"):
        check_soft_targets(True, np.eye(3, dtype=dtype))
