import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies.parts.moving_average import (
    add_average,
    check_momentum,
    move_average,
)


def test_moves_to_the_values_by_what_momentum_leaves():
    average = add_average(keras.layers.Layer(), "mean", [0.2, 0.8])
    assert not average.trainable
    for expected in ([0.38, 0.62], [0.506, 0.494]):
        move_average(average, ops.array([0.8, 0.2]), momentum=0.7)
        np.testing.assert_allclose(ops.convert_to_numpy(average), expected)


def test_one_momentum_per_entry():
    average = add_average(keras.layers.Layer(), "mean", [0.2, 0.8])
    move_average(average, ops.array([0.8, 0.2]), ops.array([1.0, 0.5]))
    np.testing.assert_allclose(ops.convert_to_numpy(average), [0.2, 0.5])


@pytest.mark.parametrize("momentum", [-0.1, 1, 2])
def test_momentum_out_of_range_is_refused(momentum):
    message = rf"`momentum` must be in \[0, 1\).*momentum={momentum}"
    with pytest.raises(ValueError, match=message):
        check_momentum(momentum)
