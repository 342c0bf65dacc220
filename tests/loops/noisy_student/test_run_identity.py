import keras
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops.noisy_student.run_identity import essential_config
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold


def functional(size):
    inputs = keras.Input((8, 8, 1))
    flipped = keras.layers.RandomFlip()(inputs)
    outputs = keras.layers.Add()([inputs, flipped])
    return keras.Model(inputs, keras.layers.CenterCrop(size, size)(outputs))


BUILDERS = {
    "noise": lambda magnitude: RandAugment(2, magnitude),
    "several": lambda magnitude: keras.Sequential(
        [keras.layers.RandomFlip(), RandAugment(2, magnitude)]
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
    layer = keras.Sequential([keras.layers.RandomFlip(), RandAugment(2, 5)])
    before = essential_config(layer)
    layer(keras.ops.zeros((2, 8, 8, 3)))
    assert essential_config(layer) == before


def test_seeds_that_layers_make_up_do_not_count():
    first, second = (keras.layers.RandomCrop(4, 4) for _ in range(2))
    assert first.get_config()["seed"] != second.get_config()["seed"]
    assert essential_config(first) == essential_config(second)


def test_types_of_numbers_count():
    layer = keras.layers.RandomFlip(dtype="float16")
    assert essential_config(layer) != essential_config(
        keras.layers.RandomFlip()
    )


def test_no_layer():
    assert essential_config(None) is None
