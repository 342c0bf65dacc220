import itertools

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.rand_augment.in_dataset import (
    DatasetSeedGenerator,
    call_on_host,
    in_dataset,
    in_foreign_dataset,
)

tf = pytest.importorskip("tensorflow")


def test_goes_on_where_the_generator_of_the_layer_is():
    original = keras.random.SeedGenerator(seed=5)
    original.next()
    seeds = DatasetSeedGenerator(original)
    for _ in range(2):
        expected = keras.ops.convert_to_numpy(original.next())
        np.testing.assert_array_equal(seeds.next(), expected)


def test_parallel_calls_never_get_the_same_seed():
    seeds = DatasetSeedGenerator(keras.random.SeedGenerator(seed=5))
    dataset = tf.data.Dataset.range(2000).map(
        lambda _: seeds.next(), num_parallel_calls=8
    )
    counts = [count for _, count in dataset.as_numpy_iterator()]
    assert sorted(counts) == list(range(2000))


def test_parallel_calls_of_rand_augment_never_repeat_a_draw():
    # One image over and over: a repeated draw would repeat its result.
    layer = RandAugment(3, 3, ops=["cutout"], seed=3)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 1), "uint8")
    dataset = tf.data.Dataset.from_tensors(image).repeat(500)
    dataset = dataset.map(layer, num_parallel_calls=8).batch(500)
    output = np.stack([np.asarray(x) for x in dataset])[0]
    assert len(np.unique(output, axis=0)) == 500


def test_values_a_little_outside_of_the_range_are_clipped():
    # As of a bicubic resize.
    images = np.full((2, 4, 4, 1), 258.0, "float32")
    dataset = tf.data.Dataset.from_tensors(images)
    dataset = dataset.map(RandAugment(ops=["autocontrast"]))
    (output,) = dataset.as_numpy_iterator()
    assert output.max() == 255


def test_a_dataset_is_told_from_other_graphs():
    seen = {}

    def remember(name):
        seen[name] = in_dataset()
        return 0

    remember("eager")
    tf.function(lambda: remember("function"))()
    dataset = tf.data.Dataset.range(1)
    dataset.map(lambda _: remember("dataset"))
    dataset.map(lambda _: tf.function(lambda: remember("function within"))())
    assert seen == {
        "eager": False,
        "function": False,
        "dataset": True,
        "function within": True,
    }


class AddIndex(keras.layers.Layer):
    def call(self, images, factor=1, index=None):
        return images + factor * keras.ops.cast(index, images.dtype)


def test_foreign_is_what_another_backend_cannot_compute():
    seen = []
    dataset = tf.data.Dataset.from_tensors(np.zeros((4, 4, 3)))
    dataset.map(lambda images: seen.append(in_foreign_dataset(images)) or 0)
    assert seen == [keras.backend.backend() != "tensorflow"]
    assert not in_foreign_dataset(tf.zeros((4, 4, 3)))


def test_host_calls_are_numbered_unless_they_have_an_index():
    layer, numbers = AddIndex(), itertools.count(7)

    def run(**kwargs):
        dataset = tf.data.Dataset.from_tensors(np.zeros((2, 2), "float32"))
        dataset = dataset.repeat(3).map(
            lambda images: call_on_host(layer, images, numbers, **kwargs)
        )
        assert dataset.element_spec.shape == (2, 2)
        return [float(output[0, 0]) for output in dataset]

    assert run() == [7, 8, 9]
    assert run(factor=10) == [100, 110, 120]
    assert run(index=tf.constant(3)) == [3, 3, 3]


def test_numbered_calls_of_rand_augment_are_reproducible_in_parallel():
    shape = (16, 12, 10, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, "uint8")

    def run():
        layer = RandAugment(ops=["brightness", "cutout"], seed=3)
        numbers = tf.data.Dataset.random(
            seed=1, rerandomize_each_iteration=True
        )
        batches = tf.data.Dataset.from_tensors(images).repeat(8)
        dataset = tf.data.Dataset.zip(batches, numbers).map(
            lambda batch, number: layer(batch, index=number),
            num_parallel_calls=4,
        )
        return [[x.numpy() for x in dataset] for _ in range(2)]

    first, second = run(), run()
    np.testing.assert_array_equal(first, second)
    assert (np.array(first[0]) != first[1]).any()
