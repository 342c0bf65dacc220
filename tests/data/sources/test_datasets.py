import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.data.sources import image_source, labeled_arrays
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


def several_sizes(labels=False, how=None, size=(5, 4)):
    """Ten images of 4 x 4, and one of another size in their middle."""
    import tensorflow as tf

    def images():
        for number in range(11):
            image = np.zeros((*(size if number == 6 else (4, 4)), 1), "uint8")
            yield (image, number % 3) if labels else image

    signature = tf.TensorSpec((None, None, 1), tf.uint8)
    if labels:
        signature = signature, tf.TensorSpec((), tf.int64)
    dataset = tf.data.Dataset.from_generator(images, output_signature=signature)
    return dataset if how is None else getattr(dataset, how)(3)


class Sizes(keras.utils.PyDataset):
    """Batches of two sizes, with labels or without."""

    def __init__(self, labels):
        super().__init__()
        self.labels = labels

    def __len__(self):
        return 3

    def __getitem__(self, index):
        images = np.zeros((2, 4 + index // 2, 4, 1), "uint8")
        return (images, np.arange(2)) if self.labels else images


SQUARES = np.zeros((4, 4, 4, 1), "uint8")
PAIR = SQUARES, np.arange(4)
READERS = {
    "unlabeled": [
        image_source,
        lambda data: mix_labeled_unlabeled(PAIR, data, 2),
        lambda data: PseudoLabeler(data).mixed_with(PAIR, 2),
    ],
    "labeled": [
        lambda data: labeled_arrays(data, "labeled"),
        lambda data: mix_labeled_unlabeled(data, SQUARES, 2),
        lambda data: PseudoLabeler(SQUARES).mixed_with(data, 2),
    ],
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("argument", READERS)
@pytest.mark.parametrize("reader", range(3))
def test_images_of_several_sizes_are_refused_before_training(argument, reader):
    labels = argument == "labeled"
    for dataset in (
        several_sizes(labels),
        several_sizes(labels, "batch"),
        several_sizes(labels, "ragged_batch"),
        several_sizes(labels, size=(40, 3)),
        Sizes(labels),
    ):
        with pytest.raises(ValueError, match=rf"`{argument}`.*Resize the im"):
            len(READERS[argument][reader](dataset))


@pytest.mark.tensorflow
def test_images_of_one_size_that_tensorflow_does_not_know():
    dataset = several_sizes(size=(4, 4))
    assert image_source(dataset).shape == (4, 4, 1)
    mixed = mix_labeled_unlabeled(PAIR, dataset, 2)
    assert len(list(mixed.as_numpy_iterator())) == 6
    other = PAIR[0][:, :3], PAIR[1]
    with pytest.raises(ValueError, match=r"labeled \(3, 4, 1\), unlabeled \(4"):
        mix_labeled_unlabeled(other, dataset, 2)


@pytest.mark.tensorflow
def test_images_of_no_known_rank():
    import tensorflow as tf

    dataset = tf.data.Dataset.range(4).map(
        lambda _: tf.numpy_function(lambda: SQUARES[0], [], tf.uint8)
    )
    with pytest.raises(ValueError, match=r"tf.ensure_shape.*of unknown shape"):
        image_source(dataset)
