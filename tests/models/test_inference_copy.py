import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.models.inference_copy import InferenceCopy

X = np.random.default_rng(0).normal(3, 2, (6, 4)).astype("float32")


def copy_of(model):
    copy = InferenceCopy().copy(model, "copy")
    np.testing.assert_allclose(
        copy.predict(X, verbose=0), model.predict(X, verbose=0), atol=1e-6
    )
    return copy


def test_layers_that_are_shared_stay_shared():
    inputs = keras.Input((4,))
    dense, drop = layers.Dense(4), layers.Dropout(0.5)
    block = kfl.layers.StochasticResidual(layers.Dense(4), scale="inference")
    model = keras.Model(inputs, block(drop(dense(block(dense(inputs))))))
    copy = copy_of(model)
    kinds = [type(layer).__name__ for layer in copy.layers]
    assert kinds == ["InputLayer", "Dense", "Dense", "Rescaling", "Add"]
    assert len(copy.weights) == len(model.weights) == 4


def test_models_of_nothing_but_noise_vanish():
    noise = keras.Sequential([layers.GaussianNoise(1.0), layers.Dropout(0.5)])
    model = keras.Sequential([keras.Input((4,)), noise, layers.Dense(2)])
    copy = copy_of(model)
    assert [type(layer) for layer in copy.layers[1:]] == [layers.Dense]


def test_statistics_are_copied():
    normalization = layers.Normalization()
    normalization.adapt(X)
    batch_norm = layers.BatchNormalization()
    model = keras.Sequential([keras.Input((4,)), normalization, batch_norm])
    batch_norm.set_weights(np.random.default_rng(1).random((4, 4)))
    copy_of(model)


def test_operations_and_weights_are_copies():
    inputs = keras.Input((4,))
    x = keras.ops.concatenate([inputs, layers.Dense(2)(inputs) + 1.0], axis=-1)
    model = keras.Model(inputs, layers.Dense(3)(x / 2))
    copy = copy_of(model)
    before = model.predict(X, verbose=0)
    copy.set_weights([0 * weight for weight in copy.get_weights()])
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)


def test_what_the_graph_remembers_of_training_is_overridden():
    inputs = keras.Input((4,))
    batch_norm = layers.BatchNormalization()
    copy = copy_of(keras.Model(inputs, batch_norm(inputs, training=True)))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(copy(X)),
        copy.predict(X, verbose=0),
        atol=1e-6,
    )


def test_models_without_a_graph_are_refused():
    inner = keras.Sequential([layers.Dense(2)])
    with pytest.raises(
        ValueError, match=r"graph of layers.*Received: model=<S"
    ):
        InferenceCopy().copy(inner, "copy")


def test_code_is_refused():
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x)])
    with pytest.raises(ValueError, match=r"has code inside.*layer 'lambda"):
        InferenceCopy().copy(model, "copy")
