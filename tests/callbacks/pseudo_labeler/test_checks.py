"""Accepted values. `test_pseudo_labeler.py` has those that are refused."""

import numpy as np
import pytest

from keras_fewlabels.callbacks.pseudo_labeler.checks import (
    check_several_labels,
    check_soft_targets,
    checked_truth,
    true_decisions,
)
from keras_fewlabels.policies import FixedThreshold, FreeMatchPolicy
from keras_fewlabels.policies.parts import ClassScores, OneSigmoid, Sigmoids


@pytest.mark.parametrize(
    "truth", [[2, 0, 1], [[2], [0], [1]], np.eye(3)[[2, 0, 1]]]
)
def test_truth_becomes_class_numbers(truth):
    truth = checked_truth(truth, 3)
    assert true_decisions(truth, ClassScores(True), 3).tolist() == [2, 0, 1]


def test_truth_of_one_sigmoid_unit():
    truth = checked_truth([1.0, 0.0], 2)
    assert true_decisions(truth, OneSigmoid(True), 2).tolist() == [1, 0]


@pytest.mark.parametrize("rows", [[[1, 1], [0, 0]], [[1, 0], [0, 1]]])
def test_truth_of_several_labels_stays_in_rows(rows):
    truth = checked_truth(np.array(rows, "float32"), 2)
    found = true_decisions(truth, Sigmoids(True), 2)
    assert found.tolist() == rows and found.dtype == "int64"


@pytest.mark.parametrize(
    "truth, scores, message",
    [
        ([0, 1], Sigmoids(True), "a column for each label"),
        ([[1, 1, 0], [0, 0, 0]], Sigmoids(True), "the model's 2 classes"),
        ([[1, 1], [0, 0]], ClassScores(True), "sum to 1"),
    ],
)
def test_truth_of_the_other_kind(truth, scores, message):
    truth = checked_truth(truth, 2)
    with pytest.raises(ValueError, match=message):
        true_decisions(truth, scores, 2)


def test_truth_may_be_missing():
    assert checked_truth(None, 3) is None
    assert true_decisions(None, Sigmoids(True), 3) is None


def test_labels_that_are_kept_by_themselves():
    rows = np.zeros((2, 3), "float32")
    check_several_labels(Sigmoids(True), FixedThreshold(), None, rows)
    # Of one class per image, everything goes.
    policy = FreeMatchPolicy()
    check_several_labels(ClassScores(True), policy, "repeat", np.arange(3))
    with pytest.raises(ValueError, match="classes of which one is true"):
        check_several_labels(Sigmoids(True), policy, None, rows)
    with pytest.raises(ValueError, match=r"Leave it out.*balance='repeat'"):
        check_several_labels(Sigmoids(True), FixedThreshold(), "repeat", rows)
    with pytest.raises(ValueError, match=r'astype."float32".*dtype int64'):
        check_several_labels(
            Sigmoids(True), FixedThreshold(), None, rows.astype("int64")
        )


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
