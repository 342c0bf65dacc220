import keras
import numpy as np

from keras_fewlabels.models import NoisyStudent


def classifier():
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])


def test_defaults_are_those_of_the_paper():
    model = NoisyStudent(classifier(), classifier(), value_range=(0, 1))
    probabilities = np.array([[0.3, 0.3, 0.2, 0.2], 4 * [0.25]], "float32")
    targets, weights = model.policy(probabilities)
    np.testing.assert_allclose(targets, probabilities, rtol=1e-6)
    np.testing.assert_array_equal(weights, [1, 0])
    assert (model.noise.num_ops, model.noise.magnitude) == (2, 27)
    assert model.noise.value_range == (0, 1)
    assert model.weak_noise is None
