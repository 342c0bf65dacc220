import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.evaluation.frozen_features.head_kinds import SIGMOIDS
from keras_fewlabels.loops.noisy_student.training.student_head import (
    calibrate,
    calibrated,
    head_of,
    set_head,
)

IMAGES = np.random.default_rng(0).random((40, 16), "float32")


def classifier(units=3, activation=None):
    activation = activation or ("softmax" if units > 1 else "sigmoid")
    head = layers.Dense(units, activation)
    return keras.Sequential([keras.Input((16,)), head])


@pytest.mark.parametrize("units", [3, 1])
def test_a_head_predicts_as_the_model(units):
    model, other = classifier(units), classifier(units)
    set_head(other, head_of(model))
    outputs = other.predict(IMAGES, verbose=0)
    probabilities = head_of(model).probabilities(IMAGES)
    np.testing.assert_allclose(outputs, probabilities[:, -units:], atol=1e-5)


def test_a_head_of_several_labels_predicts_as_the_model():
    model = classifier(activation="sigmoid")
    outputs = model.predict(IMAGES, verbose=0)
    probabilities = head_of(model, SIGMOIDS).probabilities(IMAGES)
    np.testing.assert_allclose(outputs, probabilities, atol=1e-5)
    calibrate(model, 2.0)
    logits = SIGMOIDS.logits(outputs) / 2
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0),
        SIGMOIDS.probabilities(logits),
        atol=1e-5,
    )


def test_a_temperature_divides_the_logits():
    model = classifier()
    before = head_of(model)
    with calibrated(model, 2.0):
        np.testing.assert_allclose(head_of(model).kernel, before.kernel / 2)
    np.testing.assert_array_equal(head_of(model).kernel, before.kernel)
    with calibrated(model, None):
        np.testing.assert_array_equal(head_of(model).kernel, before.kernel)
    calibrate(model, 2.0)
    np.testing.assert_allclose(head_of(model).bias, before.bias / 2)
