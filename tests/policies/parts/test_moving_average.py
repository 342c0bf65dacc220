import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.parts.moving_average import move_average


def average_of(values):
    return keras.Variable(ops.array(values, "float32"))


def test_moves_to_the_mean_of_the_rows_by_what_momentum_leaves():
    average = average_of([0.2, 0.8])
    rows = ops.array([[0.9, 0.1], [0.7, 0.3]])
    for expected in ([0.38, 0.62], [0.506, 0.494]):
        move_average(average, rows, momentum=0.7)
        np.testing.assert_allclose(ops.convert_to_numpy(average), expected)


def test_one_number_per_row():
    average = average_of(0.5)
    move_average(average, ops.array([0.8, 0.4, 0.3]), momentum=0.4)
    np.testing.assert_allclose(ops.convert_to_numpy(average), 0.5)


def test_no_rows_move_nothing():
    average = average_of([0.2, 0.8])
    move_average(average, ops.zeros((0, 2)), momentum=0.7)
    np.testing.assert_allclose(ops.convert_to_numpy(average), [0.2, 0.8])
