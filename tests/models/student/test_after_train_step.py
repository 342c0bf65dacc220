import keras
import numpy as np
from keras import ops

from keras_fewlabels.models.student.after_train_step import after_train_step


class Recorder(keras.Model):
    """Keeps the bias it has after each step, and counts the steps."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1, kernel_initializer="zeros")
        self.last_bias = self.add_weight(shape=(1,), trainable=False)
        self.steps = self.add_weight(shape=(), dtype="int32", trainable=False)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, *args):
        return after_train_step(self, super().train_step(*args), self.record)

    def record(self):
        self.last_bias.assign(self.dense.bias)
        self.steps.assign_add(1)


def test_sees_the_weights_after_the_update():
    model = Recorder()
    model.compile(keras.optimizers.SGD(0.25), "mse")
    model.fit(np.zeros((6, 2)), np.ones((6, 1)), 2, verbose=0)
    # The bias goes half of the way to 1 in each of three steps.
    bias = ops.convert_to_numpy(model.dense.bias)
    np.testing.assert_allclose(bias, [1 - 0.5**3], rtol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(model.last_bias), bias)
    assert int(model.steps) == 3
