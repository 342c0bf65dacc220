import keras
from keras import layers

from keras_fewlabels.models.stochastic_depth.residual_additions import (
    residual_additions,
)


def conv(x, name, filters=4):
    x = layers.Conv2D(filters, 3, padding="same", name=name)(x)
    return layers.BatchNormalization(name=f"{name}_norm")(x)


def found(inputs, outputs):
    return [
        (
            addition.operation.name,
            addition.branch,
            [operation.name for operation in addition.operations],
        )
        for addition in residual_additions(keras.Model(inputs, outputs))
    ]


def test_identity_shortcut_on_either_side():
    inputs = keras.Input((8, 8, 4))
    x = layers.Add(name="first")([inputs, conv(inputs, "a")])
    x = layers.Add(name="second")([conv(x, "b"), x])
    assert found(inputs, x) == [
        ("first", 1, ["a", "a_norm"]),
        ("second", 0, ["b", "b_norm"]),
    ]


def test_projected_shortcut():
    inputs = keras.Input((8, 8, 3))
    stem = conv(inputs, "stem")
    shortcut = conv(stem, "shortcut")
    branch = layers.ReLU(name="relu")(conv(stem, "a"))
    outputs = layers.Add(name="add")([shortcut, conv(branch, "b")])
    assert found(inputs, outputs) == [
        ("add", 1, ["a", "a_norm", "relu", "b", "b_norm"])
    ]


def test_plus_sign():
    inputs = keras.Input((8, 8, 4))
    [(_, branch, operations)] = found(inputs, inputs + conv(inputs, "a"))
    assert (branch, operations) == (1, ["a", "a_norm"])


def test_nested_models_in_the_order_they_run():
    def block(name):
        inputs = keras.Input((8, 8, 4))
        outputs = layers.Add(name=name)([inputs, conv(inputs, f"{name}_conv")])
        return keras.Model(inputs, outputs, name=f"{name}_model")

    inputs = keras.Input((8, 8, 4))
    inner = keras.Sequential([keras.Input((8, 8, 4)), block("one")])
    x = inner(inputs)
    x = layers.Add(name="two")([x, conv(x, "a")])
    x = block("three")(x)
    names = [name for name, _, _ in found(inputs, x)]
    assert names == ["one", "two", "three"]


def test_additions_that_are_not_residual():
    inputs = keras.Input((8, 8, 4))
    other = keras.Input((8, 8, 4))
    parallel = layers.Add()([conv(inputs, "a"), conv(inputs, "b")])
    pooled = layers.AveragePooling2D(1)(parallel)
    weightless = layers.Add()([parallel, pooled])
    two_inputs = layers.Add()([conv(other, "c"), weightless])
    three = layers.Add()([two_inputs, two_inputs, conv(two_inputs, "d")])
    doubled = layers.Add()([three, three])
    shifted = doubled + 1.0
    assert found([inputs, other], shifted) == []
