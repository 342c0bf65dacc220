import keras
import numpy as np
from keras import ops

from keras_fewlabels.models import SoftMatch
from keras_fewlabels.policies import SoftMatchPolicy


def test_unsure_images_count_in_part():
    student = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    model = SoftMatch(student, policy=SoftMatchPolicy(momentum=0.5))
    probabilities = np.array([[0.9, 0.06, 0.04], [0.4, 0.35, 0.25]], "float32")
    for _ in range(3):
        _, weights = model.policy(probabilities, training=True)
    sure, unsure = ops.convert_to_numpy(weights)
    assert sure == 1
    assert 0 < unsure < 1
