"""A small model to fine-tune, and a recorder of the layers that change."""

import keras
import numpy as np
import pytest
from keras import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 4)).astype("float32")
Y = RNG.normal(size=(8, 1)).astype("float32")


class Recorder(keras.callbacks.Callback):
    """Records after each epoch which layers have changed."""

    def on_train_begin(self, logs=None):
        self.changed = []
        self.before = self.weights()

    def on_epoch_end(self, epoch, logs=None):
        after = self.weights()
        self.changed.append(
            {
                path.split("/")[-2]
                for path in after
                if (after[path] != self.before[path]).any()
            }
        )
        self.before = after

    def weights(self):
        return {
            variable.path: keras.ops.convert_to_numpy(variable)
            for variable in getattr(self.model, "student", self.model).weights
        }


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def build_backbone():
    def build(name="backbone"):
        inputs = keras.Input((4,))
        outputs = layers.Dense(5, activation="tanh", name="low")(inputs)
        outputs = layers.BatchNormalization(name="norm")(outputs)
        outputs = layers.Dense(5, activation="tanh", name="middle")(outputs)
        outputs = layers.Dense(3, activation="tanh", name="high")(outputs)
        return keras.Model(inputs, outputs, name=name)

    return build


@pytest.fixture
def build_model(build_backbone):
    def build(optimizer="sgd", run_eagerly=True):
        # Tracing a compiled model takes a second in each stage.
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [keras.Input((4,)), build_backbone(), layers.Dense(1, name="head")]
        )
        model.compile(optimizer, "mse", run_eagerly=run_eagerly)
        return model

    return build


@pytest.fixture
def fit():
    def fit(model, *callbacks, epochs=3, batch_size=8, verbose=0, **kwargs):
        return model.fit(
            X,
            Y,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=False,
            verbose=verbose,
            callbacks=list(callbacks),
            **kwargs,
        )

    return fit
