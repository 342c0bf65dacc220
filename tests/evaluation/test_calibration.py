import json

import numpy as np
import pytest

from keras_fewlabels.evaluation.calibration import calibration


def two_classes(*confidences):
    """Probabilities whose prediction is class 0."""
    return np.array([[each, 1 - each] for each in confidences])


def test_bins_and_error_by_hand():
    # In the bin from 0.5 are two images with 0.55 and 0.65, one of them
    # right: |0.6 - 0.5| = 0.1. In the bin from 0.75 are three, all right,
    # with a mean of 0.9: 0.1. In all (2 * 0.1 + 3 * 0.1) / 5.
    probabilities = two_classes(0.55, 0.65, 0.8, 0.9, 1.0)
    found = calibration(probabilities, [0, 1, 0, 0, 0], num_bins=4)
    assert found["expected_calibration_error"] == pytest.approx(0.1)
    assert found["confidence"] == pytest.approx(0.78)
    assert found["accuracy"] == pytest.approx(0.8)
    first, second, third, last = found["bins"]
    empty = {"num_images": 0, "num_right": 0, "confidence": None}
    assert first == {"low": 0, "high": 0.25, **empty}
    assert second == {"low": 0.25, "high": 0.5, **empty}
    assert (third["num_images"], third["num_right"]) == (2, 1)
    assert third["confidence"] == pytest.approx(0.6)
    assert (last["num_images"], last["num_right"]) == (3, 3)
    assert last["confidence"] == pytest.approx(0.9)
    assert json.loads(json.dumps(found)) == found


def test_errors_of_bins_do_not_cancel():
    # Too unsure by 0.4 in one bin and too sure by 0.9 in another.
    found = calibration(two_classes(0.6, 0.9), [0, 1])
    assert found["expected_calibration_error"] == pytest.approx(0.65)


def test_a_limit_belongs_to_the_bin_above_and_one_to_the_last():
    found = calibration(two_classes(0.5, 0.75, 1.0), [0, 0, 0], num_bins=4)
    assert [each["num_images"] for each in found["bins"]] == [0, 0, 1, 2]


def test_labels_may_be_one_hot():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    labels = np.arange(50) % 3
    assert calibration(probabilities, np.eye(3)[labels]) == calibration(
        probabilities, labels
    )


def test_a_calibrated_classifier_has_next_to_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 20_000)
    labels = (rng.random(20_000) > confidence).astype(int)
    found = calibration(two_classes(*confidence), labels)
    assert found["expected_calibration_error"] < 0.02
