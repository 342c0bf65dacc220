import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.models import EMATeacher, MeanTeacher

TARGETS = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4]], "float32")
SCORES = np.array([[1.0, 0.0, -1.0], [0.3, 0.1, 2.0]], "float32")


def compiled(from_logits):
    activation = None if from_logits else "softmax"
    student = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(3, activation=activation)]
    )
    model = MeanTeacher(student)
    model.compile(
        "sgd",
        keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits),
    )
    return model


@pytest.mark.parametrize("from_logits", [True, False])
def test_loss_is_the_squared_difference_of_probabilities(from_logits):
    powers = np.exp(SCORES)
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    model = compiled(from_logits)
    predictions = SCORES if from_logits else probabilities
    weights = np.array([1, 0.5], "float32")
    loss = model.unlabeled_loss(
        *map(ops.convert_to_tensor, (TARGETS, predictions, weights))
    )
    expected = np.square(TARGETS - probabilities).mean(axis=1) * [1, 0.5]
    np.testing.assert_allclose(ops.convert_to_numpy(loss), expected, rtol=1e-5)


def test_defaults():
    model = compiled(from_logits=True)
    assert isinstance(model.teacher, EMATeacher)
    targets, weights = map(ops.convert_to_numpy, model.policy(TARGETS))
    np.testing.assert_allclose(targets, TARGETS, rtol=1e-6)
    np.testing.assert_array_equal(weights, [1, 1])
    assert float(model.ramp(0.2)) == pytest.approx(0.5)
    assert float(model.ramp(0.7)) == 1
