import numpy as np
import pytest

from keras_fewlabels.data.image_files import ImageFiles
from keras_fewlabels.data.validation import (
    as_array,
    check_images,
    check_labels,
    check_values,
    class_numbers,
)

IMAGES = np.full((3, 4, 4, 1), 100, dtype="float32")


def changed(value):
    images = np.tile(IMAGES, (3000, 1, 1, 1))
    images[-1, 0, 0, 0] = value
    return images


@pytest.mark.parametrize(
    "images, message",
    [
        (IMAGES[..., 0], r"\(num_images, height, .*shape=\(3, 4, 4\)"),
        (IMAGES[:0], r"at least one image.*shape=\(0, 4, 4, 1\)"),
        (changed(np.nan), "finite numbers.*minimum=nan"),
        (changed(np.inf), "finite numbers.*maximum=inf"),
        (changed(300), r"value range \(0, 255\).*maximum=300"),
        (changed(-1), r"value range \(0, 255\).*minimum=-1"),
        (IMAGES / 255, r"looks scaled to \(0, 1\)"),
    ],
    ids=["rank", "empty", "nan", "inf", "above", "below", "scaled"],
)
def test_bad_images_are_refused(images, message):
    with pytest.raises(ValueError, match=f"`photos`.*{message}"):
        check_images(images, "photos", value_range=(0, 255))


def test_good_images_pass():
    check_images(IMAGES, "photos", value_range=(0, 255))
    check_images(IMAGES.astype("uint8"), "photos", value_range=(0, 255))
    check_values(IMAGES / 255, "photos", value_range=(0, 1))


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


def test_files_stay_on_disk():
    files = ImageFiles(["there is no such file.png"], 8)
    assert as_array(files, "photos") is files
    check_images(files, "photos")
