import itertools

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
    from_passes,
    without_autotuning,
)
from keras_fewlabels.loops import fit_noisy_student

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


def of_numbers(begin, length=5):
    return from_passes(begin, length, (tf.TensorSpec((), tf.int32),))


def read(dataset):
    return [int(number) for (number,) in dataset.as_numpy_iterator()]


def test_each_pass_has_a_function_of_its_own():
    passes = itertools.count(1)

    def begin():
        factor = next(passes)
        return lambda number: (factor * number,)

    dataset = of_numbers(begin)
    assert len(dataset) == 5
    assert dataset.element_spec == (tf.TensorSpec((), tf.int32),)
    # One that is broken off, and two at the same time.
    assert read(dataset.take(2)) == [0, 1]
    both = tf.data.Dataset.zip(dataset, dataset)
    pairs = [(int(x), int(y)) for (x,), (y,) in both.as_numpy_iterator()]
    assert sorted(pairs[1]) == [2, 3]
    assert sorted(pairs[4]) == [8, 12]
    assert read(dataset.repeat(2)) == [0, 4, 8, 12, 16, 0, 5, 10, 15, 20]


def test_what_a_function_raises_ends_the_pass():
    def make(number):
        if number == 2:
            raise ValueError("the third one is broken")
        return (number,)

    with pytest.raises(Exception, match="third one is"):
        read(of_numbers(lambda: make))
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected shape"):
        read(of_numbers(lambda: lambda number: (np.ones(1),)))


def test_no_loop_asks_for_a_dataset_that_slows_the_process(monkeypatch):
    # On Python 3.11 each training step would be slower ever after.
    def refuse(*args, **kwargs):
        raise AssertionError("from_generator")

    monkeypatch.setattr(tf.data.Dataset, "from_generator", refuse)
    images = np.random.default_rng(0).uniform(size=(24, 4, 4, 1))
    labeled = images[:8], np.arange(8) % 2
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )

    class Pool(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return images[8 * index : 8 * index + 8]

    for pool in (images, Pool()):
        steps = {"supervised_steps": 2, "student_steps": 2}
        fit_noisy_student(
            lambda: keras.models.clone_model(model),
            labeled,
            pool,
            noise=keras.layers.Identity(),
            weak_noise=keras.layers.Identity(),
            settings=steps,
            verbose=0,
        )
        labeler = PseudoLabeler(pool, start=1)
        model.compile(
            "sgd",
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.fit(
            labeler.mixed_with(labeled, 4),
            epochs=2,
            verbose=0,
            callbacks=[labeler],
        )


def test_arrays_on_the_disk_are_read_as_they_are_needed(tmp_path, monkeypatch):
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")

    def in_memory(*_):
        raise AssertionError("the whole array was copied")

    for array in (mapped, np.asarray(mapped)[1:]):
        with monkeypatch.context() as context:
            context.setattr(tf.data.Dataset, "from_tensor_slices", in_memory)
            stream = as_stream(array)
        found = np.stack(list(stream.as_numpy_iterator()))
        np.testing.assert_array_equal(found, array)
