import numpy as np
import pytest

from keras_fewlabels.data.checks.labels import (
    check_label_form,
    check_labels,
    check_sample_weight,
    check_truth,
    class_numbers,
)


@pytest.mark.parametrize(
    "labels, message",
    [
        (np.zeros((3, 2, 2)), r"must have shape.*shape=\(3, 2, 2\)"),
        (np.zeros(4, int), "one label per image.*4 labels for 3 images"),
        (np.array(["a", "b", "c"]), "whole class numbers.*first values"),
        (np.array([0, 0.5, 1]), "whole class numbers"),
        (np.array([0, 1, -1]), "class numbers from 0 to 2.*minimum=-1"),
        (np.array([0, 1, 3]), "class numbers from 0 to 2.*maximum=3"),
        (np.full((3, 3), 0.5), "sum to 1.*1.5"),
        (np.eye(4)[:3], "each of the model's 3 classes"),
    ],
)
def test_bad_labels_are_refused(labels, message):
    with pytest.raises(ValueError, match=f"`y`.*{message}"):
        check_labels(labels, "y", num_images=3, num_classes=3)


@pytest.mark.parametrize(
    "labels",
    [[2, 0, 1], [2.0, 0.0, 1.0], [[2], [0], [1]], np.eye(3)[[2, 0, 1]]],
    ids=["integers", "floats", "column", "one-hot"],
)
def test_class_numbers(labels):
    labels = np.array(labels)
    check_labels(labels, "y", num_images=3, num_classes=3)
    assert class_numbers(labels).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    "labels, wants_class_numbers, message",
    [
        (np.eye(3), True, "expects class numbers.*argmax"),
        (np.arange(3), False, "expects one-hot labels.*to_categorical"),
        (np.arange(3)[:, None], False, "expects one-hot labels"),
    ],
    ids=["one-hot", "integers", "column"],
)
def test_labels_of_another_form_than_the_loss_takes(
    labels, wants_class_numbers, message
):
    check_label_form(labels, not wants_class_numbers)
    with pytest.raises(ValueError, match=message):
        check_label_form(labels, wants_class_numbers)


@pytest.mark.parametrize(
    "weights, message",
    [
        ([1, 2], "one number per labelled image.*2,.* for 3 images"),
        ([1, -2, 3], "not negative.*minimum=-2"),
        ([1, np.inf, 3], "finite.*maximum=inf"),
    ],
    ids=["number", "negative", "infinite"],
)
def test_bad_sample_weights_are_refused(weights, message):
    check_sample_weight(np.array([0, 1, 2.5]), 3)
    with pytest.raises(ValueError, match=message):
        check_sample_weight(np.array(weights), 3)


def test_truth_is_one_class_number_per_image():
    check_truth(np.arange(3), 3)
    with pytest.raises(ValueError, match=r"`truth`.*shape=\(2,\) for 3"):
        check_truth(np.arange(2), 3)
