import keras
import numpy as np
import pytest

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.data.sources.labeled_arrays import (
    labeled_arrays,
)

IMAGES = np.random.default_rng(0).random((7, 4, 5, 1), "float32")
LABELS = np.arange(7) % 3
ROWS = keras.utils.to_categorical(LABELS, 3)


class Batches(keras.utils.PyDataset):
    """Three images at a time, the last batch being smaller."""

    def __init__(self, *arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return -(-len(self.arrays[0]) // 3)

    def __getitem__(self, index):
        parts = [part[index * 3 : (index + 1) * 3] for part in self.arrays]
        return tuple(parts) if len(parts) > 1 else parts[0]


def check_read(source, labels=LABELS):
    images, read = labeled_arrays(source, "labeled")
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(read, labels)
    assert read.shape == labels.shape


@pytest.mark.parametrize(
    "labels", [LABELS, ROWS, LABELS.astype("float32")], ids=str
)
def test_arrays_and_py_datasets(labels):
    check_read((IMAGES, labels), labels)
    check_read([IMAGES, labels], labels)
    check_read(Batches(IMAGES, labels), labels)


def test_lists_and_a_last_axis_of_one():
    check_read((IMAGES.tolist(), LABELS.tolist()))
    check_read((IMAGES, LABELS[:, None]))
    check_read(Batches(IMAGES, LABELS[:, None]))


@pytest.mark.tensorflow
@pytest.mark.parametrize("labels", [LABELS, ROWS], ids=["numbers", "rows"])
def test_tf_data_batched_or_not(labels):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((IMAGES, labels))
    check_read(dataset, labels)
    check_read(dataset.batch(3), labels)
    # One whose length is not known before it is read.
    check_read(dataset.batch(3).filter(lambda images, _: True), labels)
    column = dataset.map(lambda image, label: (image, tf.reshape(label, (-1,))))
    check_read(column, labels)


def tf_dataset(*arrays):
    import tensorflow as tf

    arrays = arrays if len(arrays) > 1 else arrays[0]
    return tf.data.Dataset.from_tensor_slices(arrays)


@pytest.mark.parametrize(
    "source, expected",
    [
        (IMAGES, "must be a pair .*Received: ndarray"),
        (None, "must be a pair .*Received: NoneType"),
        ((IMAGES, LABELS, LABELS), "must be a pair .*Received: tuple"),
        ({"x": IMAGES, "y": LABELS}, "must be a pair .*Received: dict"),
        (Batches(IMAGES), "must give pairs .*a dataset of ndarray"),
        (Batches(IMAGES, LABELS, LABELS), "must give pairs .*of tuple"),
        (Batches(IMAGES[:0], LABELS[:0]), "at least one image.*without el"),
        ((IMAGES[:0], LABELS[:0]), "`my_data` must hold at least one image"),
        ((IMAGES[..., 0], LABELS), r"`my_data` must have shape .*\(7, 4, 5\)"),
        ((IMAGES * np.nan, LABELS), "`my_data` must hold finite numbers"),
        ((IMAGES, LABELS[:5]), "one label per image.*5 labels for 7 images"),
        ((IMAGES, LABELS - 1), "`labels of my_data` must hold class numbers"),
        ((IMAGES, LABELS / 2), "whole class numbers"),
        ((IMAGES, list("aabbcca")), "turn names into numbers"),
        ((IMAGES, 2 * ROWS), "rows that are not negative and sum to 1"),
        ((IMAGES, ROWS[..., None]), r"must have shape \(num_images,\)"),
    ],
)
def test_anything_else_is_refused(source, expected):
    with pytest.raises(ValueError, match=expected):
        labeled_arrays(source, "my_data")


@pytest.mark.tensorflow
def test_other_datasets_are_refused():
    for source, expected in (
        (tf_dataset(IMAGES, LABELS).repeat(), "must end.*infinite"),
        (tf_dataset(IMAGES), "must give pairs"),
        (tf_dataset(IMAGES, LABELS).take(0), "without elements"),
    ):
        with pytest.raises(ValueError, match=expected):
            labeled_arrays(source, "labeled")


def test_files_are_read_unless_they_should_stay(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(7)]
    levels = (255 * IMAGES).astype("uint8")
    for path, image in zip(paths, levels, strict=True):
        keras.utils.save_img(path, image, scale=False)
    files = ImageFiles(paths, (4, 5), "grayscale")
    images, labels = labeled_arrays((files, LABELS), "labeled")
    assert isinstance(images, np.ndarray)
    np.testing.assert_array_equal(images, levels)
    streamed = labeled_arrays((files, LABELS), "test_data", in_memory=False)
    assert streamed[0] is files
    with pytest.raises(ValueError, match="3 labels for 7 images"):
        labeled_arrays((files, labels[:3]), "test_data", in_memory=False)
