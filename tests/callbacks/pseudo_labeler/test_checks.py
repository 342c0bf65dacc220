"""What passes; what is refused is in `test_pseudo_labeler.py`."""

import numpy as np
import pytest

from keras_fewlabels.callbacks.pseudo_labeler.checks import (
    check_arguments,
    check_soft_targets,
    checked_truth,
)
from keras_fewlabels.policies import FixedThreshold, TopPerClass


@pytest.mark.parametrize(
    "truth", [[2, 0, 1], [[2], [0], [1]], np.eye(3)[[2, 0, 1]]]
)
def test_truth_becomes_class_numbers(truth):
    assert checked_truth(truth, 3).tolist() == [2, 0, 1]


def test_truth_may_be_missing():
    assert checked_truth(None, 3) is None


@pytest.mark.parametrize(
    "policy, balance",
    [
        (None, None),
        (FixedThreshold(), TopPerClass(3)),
        (None, "truncate"),
    ],
)
def test_combinations_of_policy_and_balance(policy, balance):
    check_arguments(policy, balance, {"every": 2, "start": 0}, 0.2)


def test_soft_targets_beside_one_hot_labels():
    check_soft_targets(True, np.eye(3))
    check_soft_targets(False, np.arange(3))
