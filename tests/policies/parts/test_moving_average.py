import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.parts.moving_average import move_average


def average_of(values):
    return keras.Variable(ops.array(values, "float32"))


def test_moves_to_the_values_by_what_momentum_leaves():
    average = average_of([0.2, 0.8])
    for expected in ([0.38, 0.62], [0.506, 0.494]):
        move_average(average, ops.array([0.8, 0.2]), momentum=0.7)
        np.testing.assert_allclose(ops.convert_to_numpy(average), expected)


def test_one_momentum_per_entry():
    average = average_of([0.2, 0.8])
    move_average(average, ops.array([0.8, 0.2]), ops.array([1.0, 0.5]))
    np.testing.assert_allclose(ops.convert_to_numpy(average), [0.2, 0.5])
