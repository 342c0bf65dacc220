import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.data import ImageFiles, mix_labeled_unlabeled
from keras_fewlabels.data.sources import image_stream
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.data.sources.streams import (
    as_stream,
    count_images,
    finite,
    without_autotuning,
)

IMAGES = np.arange(7, dtype="float32").reshape(-1, 1, 1, 1)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return IMAGES[3 * index : 3 * index + 3]


SOURCES = {
    "array": lambda: IMAGES,
    "images": lambda: tf.data.Dataset.from_tensor_slices(IMAGES),
    "batches": lambda: tf.data.Dataset.from_tensor_slices(IMAGES).batch(2),
    "PyDataset": Batches,
}


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_one_by_one_or_in_batches_of_any_size(make):
    single = list(as_stream(make()).as_numpy_iterator())
    np.testing.assert_array_equal(np.stack(single), IMAGES)
    batches = list(as_stream(make(), 4).as_numpy_iterator())
    assert [len(batch) for batch in batches] == [4, 3]
    np.testing.assert_array_equal(np.concatenate(batches), IMAGES)


def test_length_is_counted_where_it_is_not_known():
    stream = as_stream(IMAGES)
    assert (
        count_images(stream.filter(lambda image: image[0, 0, 0] > 1), "x") == 5
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("with_labels", [False, True])
def test_an_image_that_is_not_finite_is_named(value, dtype, with_labels):
    images = IMAGES.astype(dtype)
    images[5] = value
    parts = (images, np.arange(7)) if with_labels else images
    read = finite(as_stream(parts), "my_data").as_numpy_iterator()
    for _ in range(5):
        next(read)
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"`my_data` must hold finite numbers(.|\n)*\[5\]",
    ):
        next(read)


def test_finite_images_pass_as_they_are():
    for images in (IMAGES, IMAGES.astype("uint8")):
        stream = as_stream((images, np.arange(7)))
        for ours, theirs in zip(
            finite(stream, "x").as_numpy_iterator(),
            stream.as_numpy_iterator(),
            strict=True,
        ):
            for part, expected in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(part, expected)


def test_errors():
    stream = as_stream(IMAGES)
    with pytest.raises(ValueError, match=r"`x` must end.*Remove `.repeat\(\)`"):
        count_images(stream.repeat(), "x")
    with pytest.raises(ValueError, match="`x` must hold at least one image"):
        count_images(stream.take(0), "x")


def test_files_are_read_image_by_image_and_counted_without(save):
    files = ImageFiles([save(f"{number}.png") for number in range(5)], 4)
    images = np.asarray(files)
    stream = as_stream(files)
    assert stream.element_spec == tf.TensorSpec((4, 4, 3), tf.uint8)
    np.testing.assert_array_equal(list(stream.as_numpy_iterator()), images)
    batches = list(as_stream(files, 2).as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate(batches), images)
    # Its length is known, so that no file is decoded to be counted.
    assert int(stream.cardinality()) == 5


UNLABELED = np.arange(48, dtype="uint8").reshape(12, 2, 2, 1)
PAIR = UNLABELED[:4], np.arange(4)


def stream(images):
    return tf.data.Dataset.from_tensor_slices(images)


def test_elements_and_other_options_stay():
    options = tf.data.Options()
    options.deterministic = False
    dataset = without_autotuning(tf.data.Dataset.range(3).with_options(options))
    assert list(dataset.as_numpy_iterator()) == [0, 1, 2]
    assert dataset.options().autotune.enabled is False
    assert dataset.options().deterministic is False


@pytest.mark.tensorflow
@pytest.mark.parametrize("source", [np.array, stream], ids=["array", "stream"])
@pytest.mark.parametrize(
    "dataset_of",
    [
        lambda source: mix_labeled_unlabeled(PAIR, source, 2),
        lambda source: PseudoLabeler(source).mixed_with(PAIR, 2),
    ],
    ids=["mixed", "pseudo_labeled"],
)
def test_fits_read_without_autotuning(dataset_of, source):
    options = dataset_of(source(UNLABELED)).options()
    assert options.autotune.enabled is False


def test_images_are_read_without_autotuning(monkeypatch):
    read = []

    def read_elements(dataset, argument):
        read.append(dataset.options().autotune.enabled)
        return dataset.as_numpy_iterator()

    monkeypatch.setattr(image_stream, "read_elements", read_elements)
    list(image_source(stream(UNLABELED)).pieces(8))
    assert set(read) == {False}


def test_autotuning_of_a_mixed_dataset_is_disabled():
    options = tf.data.Options()
    options.autotune.enabled = True
    source = stream(UNLABELED).with_options(options)
    mixed = mix_labeled_unlabeled(PAIR, source, 2)
    assert mixed.options().autotune.enabled is False
