import keras
import numpy as np
import pytest

from keras_fewlabels.data.checks.images import (
    as_array,
    check_images,
    check_input_shape,
    check_same_images,
    check_values,
)
from keras_fewlabels.data.folders import ImageFiles

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


def test_files_stay_on_disk():
    files = ImageFiles(["there is no such file.png"], 8)
    assert as_array(files, "photos") is files
    check_images(files, "photos")


def test_a_series_is_read_by_places():
    class Series:
        """As one of pandas, whose rows were sorted anew."""

        values = np.array([0, 0, 1])
        shape, dtype, iloc = values.shape, values.dtype, None

        def __getitem__(self, labels):
            return self.values[::-1][labels]

        def __array__(self, dtype=None, copy=None):
            return self.values

    found = as_array(Series(), "labels")
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found[[0, 2]], [0, 1])


def test_tensors_become_arrays():
    array = as_array(keras.ops.array([1.0, 2.0]), "photos")
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [1, 2]


@pytest.mark.parametrize(
    "unlabeled, message",
    [
        (IMAGES[:, :2], r"labeled \(4, 4, 1\), unlabeled \(2, 4, 1\)"),
        (IMAGES.astype("uint8"), "labeled float32, unlabeled uint8"),
    ],
    ids=["size", "dtype"],
)
def test_images_of_two_kinds_are_refused(unlabeled, message):
    check_same_images(IMAGES, IMAGES[:1])
    with pytest.raises(ValueError, match=message):
        check_same_images(IMAGES, unlabeled)


def test_images_of_another_size_than_the_model_are_refused():
    model = keras.Sequential([keras.Input((None, 8, 1)), keras.layers.ReLU()])
    check_input_shape(model, np.zeros((2, 5, 8, 1)), "teacher")
    with pytest.raises(ValueError, match=r"The teacher .*\(4, 4, 1\)"):
        check_input_shape(model, IMAGES, "teacher")
