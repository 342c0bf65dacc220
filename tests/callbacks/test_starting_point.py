import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.callbacks.starting_point import StartingPoint

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = np.arange(8) % 2


class NotSixteen(keras.layers.Layer):
    def call(self, inputs):
        # On JAX a size may be a symbol, which cannot be compared.
        if isinstance(inputs.shape[0], int) and inputs.shape[0] == 16:
            raise MemoryError("a batch of 16")
        return inputs


def classifier():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            NotSixteen(),
            keras.layers.Dropout(0.5),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def state_of(model):
    variables = [
        *model.variables,
        *model.optimizer.variables,
        *model.metrics_variables,
    ]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def test_weights_seeds_optimizer_and_metrics_go_back():
    model = classifier()
    model.train_on_batch(X[:4], Y[:4])
    before = state_of(model)
    state = StartingPoint(model, everything=True)

    def train():
        logs = model.train_on_batch(X, Y)
        return [float(value) for value in logs]

    first = train()
    assert any(
        (a != b).any() for a, b in zip(before, state_of(model), strict=True)
    )
    state.restore()
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(old, new)
    # Dropout draws the same again, on torch from a generator of its own.
    assert train() == pytest.approx(first, rel=1e-6)


def test_metrics_of_a_model_before_its_first_step():
    model = classifier()
    state = StartingPoint(model, everything=True)
    model.train_on_batch(X, Y)
    state.restore()
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 0
    assert all((v == 0).all() for v in state_of(model)[-2:])


class WeightsAtStart(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.weights = [np.array(w) for w in self.model.get_weights()]


def test_after_a_step_that_failed():
    model = classifier()
    before = [np.array(w) for w in model.get_weights()]
    state = StartingPoint(model, everything=True)
    model.train_on_batch(X, Y)
    # Which TensorFlow would trace for a size of None.
    model.train_function = None
    with pytest.raises(MemoryError, match="a batch of 16"):
        model.train_on_batch(np.tile(X, (2, 1)), np.tile(Y, 2))
    state.restore()
    # Here Keras on JAX puts a state into effect that it had kept.
    start = WeightsAtStart()
    model.fit(X, Y, callbacks=[start], verbose=0)
    for one, two in zip(before, start.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_weights_and_optimizer_go_back():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    images = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    targets = images[:, :2]
    model.fit(images, targets, verbose=0)
    origin = StartingPoint(model)

    def fit():
        model.fit(images, targets, epochs=2, shuffle=False, verbose=0)
        variables = [*model.weights, *model.optimizer.variables]
        return [np.array(ops.convert_to_numpy(v)) for v in variables]

    first = fit()
    other = fit()
    origin.restore()
    again = fit()
    for one, two, three in zip(first, again, other, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)
        assert one.dtype == two.dtype
        if one.dtype == "float32" and one.ndim == 2:
            assert (one != three).any()


def test_before_the_optimizer_has_any_state():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    origin = StartingPoint(model)
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    origin.restore()
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 0
