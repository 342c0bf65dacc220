import keras
import numpy as np
from keras import ops

from keras_fewlabels.loops import find_learning_rate

X = np.random.default_rng(0).normal(size=(200, 5)).astype("float32")
Y = X @ np.arange(1, 6, dtype="float32")[:, None]


def regression():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.123), "mse")
    return model


def test_one_call_on_arrays_and_nothing_has_changed():
    model = regression()
    before = model.get_weights()[0].copy()
    finder = find_learning_rate(model, X, Y, batch_size=20, num_steps=50)
    # More batches than an epoch has.
    assert 10 < len(finder.rates) <= 50
    assert 1e-3 < finder.suggestion < 1
    np.testing.assert_array_equal(model.get_weights()[0], before)
    rate = ops.convert_to_numpy(model.optimizer.learning_rate)
    assert abs(rate - 0.123) < 1e-6


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        rows = slice(20 * index, 20 * index + 20)
        return X[rows], Y[rows]


def test_datasets():
    finder = find_learning_rate(regression(), Batches(), num_steps=30)
    assert 1e-3 < finder.suggestion < 1
