import keras
import numpy as np
import pytest

from keras_fewlabels.data.sources.datasets import (
    check_ends,
    check_unlabeled_element,
    is_dataset,
    read_elements,
)

IMAGES = np.arange(7, dtype="float32").reshape(-1, 1, 1, 1)
LABELS = np.arange(7)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(3 * index, 3 * index + 3)
        return keras.ops.convert_to_tensor(IMAGES[rows]), LABELS[rows]


class Infinite(Batches):
    num_batches = None


def as_tf_data():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))


def test_datasets_and_arrays():
    assert is_dataset(Batches())
    assert is_dataset(as_tf_data())
    assert not is_dataset(IMAGES)
    assert not is_dataset((IMAGES, LABELS))


@pytest.mark.parametrize("make", [Batches, lambda: as_tf_data().batch(3)])
def test_elements_are_arrays(make):
    elements = list(read_elements(make(), "x"))
    assert [type(part) for part in elements[0]] == [np.ndarray, np.ndarray]
    images, labels = map(np.concatenate, zip(*elements, strict=True))
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("make", [Infinite, lambda: as_tf_data().repeat()])
def test_a_dataset_without_an_end_is_refused_before_it_is_read(make):
    expected = r"`x` must end.*Remove `.repeat\(\)`, or give the `PyDataset`"
    for check in (check_ends, read_elements):
        with pytest.raises(ValueError, match=expected):
            check(make(), "x")
    check_ends(Batches(), "x")
    check_ends(as_tf_data(), "x")


def test_elements_that_are_no_images_are_refused():
    for element in ((IMAGES, LABELS), {"image": IMAGES}):
        with pytest.raises(ValueError, match=r"`x` must be.*alone; drop the"):
            check_unlabeled_element(element, "x")
    with pytest.raises(ValueError, match=r"\(height, width.*int64 \(7,\)"):
        check_unlabeled_element(LABELS, "x")
    for element in (IMAGES, IMAGES[0]):
        check_unlabeled_element(element, "x")
    spec = as_tf_data().element_spec
    check_unlabeled_element(spec[0], "x")
    with pytest.raises(ValueError, match=r"float32 \(1, 1, 1\)"):
        check_unlabeled_element(spec, "x")
