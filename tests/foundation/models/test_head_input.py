import keras
import numpy as np
from keras import layers

from keras_fewlabels.foundation import head_input
from keras_fewlabels.foundation.keras_internals import graph_of

IMAGES = np.random.default_rng(0).random((5, 4, 4, 1), "float32")


def functional():
    inputs = keras.Input((4, 4, 1))
    hidden = layers.Dense(3, name="hidden")(layers.Flatten()(inputs))
    return keras.Model(inputs, layers.Softmax()(layers.Dense(2)(hidden)))


def test_functional_and_sequential_models_have_a_graph():
    model = functional()
    assert graph_of(model) is model
    sequential = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert isinstance(graph_of(sequential), keras.Model)


def test_other_models_and_layers_have_none():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    for model in (Subclassed(), keras.Sequential([layers.Dense(2)])):
        assert graph_of(model) is None and head_input(model) is None
    assert head_input(layers.Dense(2)) is None


def test_input_of_the_last_dense_layer_is_found_in_nested_models():
    model = functional()
    inputs = keras.Input((4, 4, 1))
    scaled = layers.Rescaling(2.0)(inputs)
    outer = keras.Model(inputs, layers.Activation("linear")(model(scaled)))
    found = keras.Model(outer.inputs, head_input(outer))
    kernel, bias = model.get_layer("hidden").get_weights()
    np.testing.assert_allclose(
        found.predict(IMAGES, verbose=0),
        2 * IMAGES.reshape(5, 16) @ kernel + bias,
        rtol=1e-5,
    )


def test_a_model_without_dense_layers_has_no_head():
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(1, 4)])
    assert head_input(model) is None
