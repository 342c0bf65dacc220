import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.foundation.fingerprint import (
    essential_config,
    file_fingerprint,
    fingerprint,
)
from keras_fewlabels.layers import RandAugment
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold

PARTS = [np.arange(4), "a", 1, 1.0, ["a", "b"], {"a": 1}, None]


def test_every_part_counts():
    prints = [fingerprint(part) for part in PARTS]
    prints += [
        fingerprint(np.arange(4).reshape(2, 2)),
        fingerprint(np.arange(4).astype("int32")),
        fingerprint("a", "b"),
        fingerprint({"a": 2}),
        fingerprint({"b": 1}),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(*PARTS) == fingerprint(*PARTS)


def test_arrays_of_objects_and_empty_arrays():
    names = [np.array(["a", str(n)], object) for n in (1, 1, 2)]
    prints = [fingerprint(each) for each in names]
    assert prints[0] == prints[1] != prints[2]
    empty = {fingerprint(np.zeros(shape)) for shape in ((0, 3), (3, 0), (0,))}
    assert len(empty) == 3


def test_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_fingerprint(tmp_path / "a").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize(
    "build",
    [
        lambda: keras.Sequential([layers.Dropout(0.5), layers.Dense(2)]),
        lambda: layers.Dense(3),
    ],
)
def test_names_do_not_count(build):
    first, second = build(), build()
    assert first.name != second.name
    assert essential_config(first) == essential_config(second)


def test_arguments_count():
    rates = [essential_config(layers.Dropout(rate)) for rate in (0.1, 0.2)]
    assert rates[0] != rates[1]
    assert essential_config(None) is None


def functional(size):
    inputs = keras.Input((8, 8, 1))
    flipped = layers.RandomFlip()(inputs)
    outputs = layers.Add()([inputs, flipped])
    return keras.Model(inputs, layers.CenterCrop(size, size)(outputs))


BUILDERS = {
    "noise": lambda magnitude: RandAugment(2, magnitude),
    "several": lambda magnitude: keras.Sequential(
        [layers.RandomFlip(), RandAugment(2, magnitude)]
    ),
    "policy": lambda tenths: DistributionAlignment(FixedThreshold(tenths / 10)),
    "functional": functional,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_another_layer_of_the_same_configuration_is_the_same(name):
    build = BUILDERS[name]
    first, second = build(5), build(5)
    assert first.name != second.name
    assert essential_config(first) == essential_config(second)
    assert essential_config(first) != essential_config(build(6))


def test_a_layer_that_has_seen_images_is_the_same():
    layer = keras.Sequential([layers.RandomFlip(), RandAugment(2, 5)])
    before = essential_config(layer)
    layer(keras.ops.zeros((2, 8, 8, 3)))
    assert essential_config(layer) == before


def test_seeds_that_layers_make_up_do_not_count():
    first, second = (layers.RandomCrop(4, 4) for _ in range(2))
    assert first.get_config()["seed"] != second.get_config()["seed"]
    assert essential_config(first) == essential_config(second)


def test_types_of_numbers_count():
    layer = layers.RandomFlip(dtype="float16")
    assert essential_config(layer) != essential_config(layers.RandomFlip())


def test_no_layer():
    assert essential_config(None) is None
