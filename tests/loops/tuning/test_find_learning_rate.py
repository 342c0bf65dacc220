import warnings

import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.callbacks import LearningRateFinder
from keras_fewlabels.loops import find_learning_rate

X = np.random.default_rng(0).normal(size=(200, 5)).astype("float32")
Y = X @ np.arange(1, 6, dtype="float32")[:, None]


def regression(rate=0.0):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dropout(rate), keras.layers.Dense(1)]
    )
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


@pytest.mark.tensorflow
def test_a_tf_dataset_without_a_warning_of_shuffling():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(20)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*shuffle=True")
        find_learning_rate(regression(), dataset, num_steps=10)


def state_of(model):
    variables = [
        *model.variables,
        *model.optimizer.variables,
        *model.metrics_variables,
    ]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def test_the_model_goes_back_after_an_interruption(monkeypatch):
    def interrupt(self, batch, logs=None):
        if len(self.rates) == 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(LearningRateFinder, "on_train_batch_begin", interrupt)
    model = regression()
    model.fit(X, Y, verbose=0)
    before = state_of(model)
    with pytest.raises(KeyboardInterrupt):
        find_learning_rate(model, X, Y, num_steps=30, verbose=0)
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(old, new)
    model.fit(X, Y, verbose=0)


def test_a_later_fit_is_the_one_without_the_search():
    def fit(search):
        model = regression(0.5)
        if search:
            find_learning_rate(model, X, Y, num_steps=20, verbose=0)
        model.fit(X, Y, 20, epochs=2, verbose=0)
        return model.get_weights()[0].tolist()

    assert fit(True) == fit(False)


# On the other backends Keras builds the model before.
@pytest.mark.tensorflow
def test_a_model_that_is_not_built_is_refused_before_training():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"must be built.*keras\.Input"):
        find_learning_rate(model, X, Y, num_steps=20, verbose=0)
    # Which `fit` can then train.
    model.fit(X, Y, verbose=0)
