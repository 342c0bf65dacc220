import keras
import numpy as np
from keras import ops

from keras_fewlabels.models import UDA


def test_targets_are_sharpened_as_in_the_paper():
    student = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(3, activation="softmax")]
    )
    probabilities = np.array([[0.85, 0.1, 0.05], [0.7, 0.2, 0.1]], "float32")
    targets, weights = UDA(student).policy(probabilities)
    sharpened = probabilities ** (1 / 0.4)
    sharpened /= sharpened.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(targets, sharpened, rtol=1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(weights), [1, 0])
