import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks.penultimate_features import penultimate_features

X = np.random.default_rng(0).random((5, 4, 4, 1), "float32")


def test_what_the_last_layer_with_weights_takes():
    inputs = keras.Input((4, 4, 1))
    flat = layers.Flatten()(inputs)
    outputs = layers.Softmax()(layers.Dropout(0.5)(layers.Dense(2)(flat)))
    model = keras.Model(inputs, outputs)
    found = penultimate_features(model, X, batch_size=2)
    np.testing.assert_allclose(found, X.reshape(5, 16))


def test_feature_maps_become_rows():
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.ReLU(name="map"), layers.Conv2D(1, 4)]
    )
    found = penultimate_features(model, X, layer="map")
    np.testing.assert_allclose(found, X.reshape(5, 16))


def test_models_without_features_are_refused():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match=r"functional or .*Received"):
        penultimate_features(Subclassed(), X)
    plain = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten()])
    with pytest.raises(ValueError, match=r"layer with weights.*Received"):
        penultimate_features(plain, X)
