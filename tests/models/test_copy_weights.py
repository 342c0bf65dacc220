import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.loops.noisy_student.carry_weights import carry_weights
from keras_fewlabels.models.copy_weights import copy_weights

X = np.random.default_rng(0).normal(100, 30, (8, 4)).astype("float32")


def adapted():
    """A model whose first layer has seen data, and a residual addition."""
    normalization = layers.Normalization()
    normalization.adapt(X)
    inputs = keras.Input((4,))
    x = normalization(inputs)
    return keras.Model(inputs, layers.Add()([x, layers.Dense(4)(x)]))


def cloned(copy):
    def run(model):
        clone = keras.models.clone_model(model)
        copy(model, clone)
        return clone

    return run


def averaged(model):
    teacher = kfl.models.EMATeacher()
    teacher.follow(model)
    return teacher.model


@pytest.mark.parametrize(
    "copy_of",
    [
        cloned(copy_weights),
        cloned(carry_weights),
        averaged,
        kfl.models.add_stochastic_depth,
    ],
    ids=["copy_weights", "carry_weights", "EMATeacher", "add_stochastic_depth"],
)
def test_copies_normalize_as_the_original(copy_of):
    model = adapted()
    expected = model.predict(X, verbose=0)
    found = copy_of(model).predict(X, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_copies_share_nothing():
    source, target = adapted(), adapted()
    copy_weights(source, target)
    expected = source.predict(X, verbose=0)
    target.set_weights([0 * weight for weight in target.get_weights()])
    np.testing.assert_array_equal(source.predict(X, verbose=0), expected)
