import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.loops.noisy_student.comes_trained import (
    has_linear_head,
    was_trained,
)


def build(use_bias=True):
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Conv2D(2, 3, use_bias=use_bias),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_fit_trains_a_model(use_bias):
    model = build(use_bias)
    assert was_trained(model) is False
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 4, 4, 1)), np.eye(4, 2), verbose=0)
    assert was_trained(model) is True


def test_a_new_head_on_a_trained_backbone():
    model, trained = build(), build()
    trained.set_weights([weight + 1 for weight in trained.get_weights()])
    for layer, other in zip(model.layers[:2], trained.layers, strict=False):
        layer.set_weights(other.get_weights())
    assert was_trained(model)


def test_one_bias_that_was_set_is_no_training():
    model = build()
    # The prior of rare classes, for example.
    model.layers[-1].bias.assign([-2.0, -2.0])
    assert not was_trained(model)


def test_a_model_without_such_weights():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2, None, False)])
    assert was_trained(model) is False


@pytest.mark.parametrize(
    "head, expected",
    [
        ([layers.Dense(3)], True),
        ([layers.Dense(3, activation="softmax")], True),
        ([layers.Dense(3, activation="sigmoid")], True),
        ([layers.Dense(1, activation="sigmoid")], True),
        ([layers.Dropout(0.5), layers.Dense(3), layers.Softmax()], True),
        ([layers.Dense(3, use_bias=False)], False),
        ([layers.Dense(3, activation="relu")], False),
        ([layers.Dense(3), layers.Rescaling(2.0)], False),
        ([layers.Reshape((16, 1)), layers.GlobalAveragePooling1D()], False),
    ],
)
def test_heads(head, expected):
    copies = [type(each).from_config(each.get_config()) for each in head]
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Flatten(), *copies]
    )
    model.set_weights(
        [
            np.random.default_rng(1).normal(size=weight.shape)
            for weight in model.get_weights()
        ]
    )
    assert (
        has_linear_head(model, np.random.default_rng(0).random((5, 4, 4, 1)))
        is expected
    )
