import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks.embedding_features import embedding_features

X = np.random.default_rng(0).random((5, 4, 4, 1), "float32")


def test_what_the_last_dense_layer_takes():
    inputs = keras.Input((4, 4, 1))
    flat = layers.Flatten()(inputs)
    outputs = layers.Softmax()(layers.Dropout(0.5)(layers.Dense(2)(flat)))
    model = keras.Model(inputs, outputs)
    found = embedding_features(model, X, batch_size=2)
    np.testing.assert_allclose(found, X.reshape(5, 16))


def test_feature_maps_become_rows():
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.ReLU(name="map"), layers.Conv2D(1, 4)]
    )
    found = embedding_features(model, X, layer="map")
    np.testing.assert_allclose(found, X.reshape(5, 16))


def test_models_without_features_are_refused():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match=r"functional or .*Received"):
        embedding_features(Subclassed(), X)
    plain = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten()])
    with pytest.raises(
        ValueError, match=r"no `Dense` layer.*`layer`.*Received"
    ):
        embedding_features(plain, X)
