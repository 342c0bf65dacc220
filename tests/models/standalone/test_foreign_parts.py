import keras
import pytest
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.models.standalone.foreign_parts import (
    check_parts,
    foreign_parts,
)


@keras.saving.register_keras_serializable(package="mine")
def registered(x):
    return 2 * x


def own(x):
    return 2 * x


@pytest.mark.parametrize(
    "layer, expected",
    [
        (layers.Dense(2, "relu", kernel_regularizer="l2"), {}),
        (layers.Dense(2, dtype="mixed_float16"), {}),
        (layers.Dense(2, activation=registered), {"mine": ["registered"]}),
        (layers.Dense(2, activation=own), {"code": ["own"]}),
        (layers.Lambda(own), {"code": ["Lambda", "own"]}),
        (
            layers.TimeDistributed(kfl.layers.StochasticDepth()),
            {"keras_fewlabels": ["StochasticDepth"]},
        ),
    ],
    ids=["stock", "policy", "registered", "function", "lambda", "wrapped"],
)
def test_parts_at_any_depth(layer, expected):
    inputs = keras.Input((3, 4))
    inner = keras.Sequential([keras.Input((3, 4)), layer])
    model = keras.Model(inputs, keras.ops.relu(inner(inputs) + 1))
    config = keras.saving.serialize_keras_object(model)
    assert foreign_parts(config) == expected


def test_parts_are_refused_by_the_name_of_their_layer():
    layer = kfl.layers.StochasticDepth(name="drop")
    with pytest.raises(ValueError, match=r"Keras alone.*'drop' with .'keras_f"):
        check_parts(layer, [])
    check_parts(layer, ["keras_fewlabels"])
    code = layers.Dense(2, activation=own, name="head")
    with pytest.raises(ValueError, match=r"has code inside.*'head' with .'own"):
        check_parts(code, ["code"])
