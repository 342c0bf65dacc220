import random

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
from keras_fewlabels.data.batches.mixed_batches import LabeledBatches
from keras_fewlabels.layers import StochasticDepth

ONES = np.ones((1, 400), "float32")


def callback_of(model, seed=0, batches=None):
    callback = SeedEpochs(seed, batches)
    callback.set_model(model)
    return callback


def draw(callback, epoch):
    callback.on_epoch_begin(epoch)
    return keras.ops.convert_to_numpy(callback.model(ONES, training=True))


# On torch, Keras draws dropout in one way with a seed, in another without.
@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dropout(0.25),
        keras.layers.Dropout(0.25, seed=1),
        keras.layers.GaussianNoise(1.0),
        keras.layers.Activation("linear", name="none"),
    ],
    ids=lambda layer: layer.name,
)
def test_the_draws_of_an_epoch_do_not_depend_on_earlier_epochs(layer):
    model = keras.Sequential([keras.Input((400,)), layer])
    callback = callback_of(model)
    first = draw(callback, 3)
    others = [draw(callback, epoch) for epoch in (0, 1, 2, 4, 300)]
    np.testing.assert_array_equal(draw(callback, 3), first)
    others.append(draw(callback_of(model, seed=1), 3))
    is_random = layer.name != "none"
    for other in others:
        assert np.array_equal(other, first) is not is_random


def test_a_model_of_the_same_kind_draws_the_same():
    def build():
        # Each call gives the layers other names and other seeds.
        return keras.Sequential(
            [
                keras.Input((400,)),
                keras.layers.Dropout(0.25),
                keras.layers.GaussianNoise(1.0),
            ]
        )

    first, second = (draw(callback_of(build()), 2) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_layers_draw_independently_of_each_other():
    inputs = keras.Input((400,))
    noise = [keras.layers.GaussianNoise(1.0)(inputs) for _ in range(2)]
    model = keras.Model(inputs, keras.layers.Concatenate(axis=0)(noise))
    first, second = draw(callback_of(model), 0)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


def test_dropout_keeps_its_rate():
    model = keras.Sequential([keras.Input((400,)), keras.layers.Dropout(0.25)])
    callback = callback_of(model)
    outputs = np.stack([draw(callback, epoch) for epoch in range(20)])
    assert (outputs == 0).mean() == pytest.approx(0.25, abs=0.03)
    # No unit is dropped in every epoch.
    assert (outputs == 0).all(axis=0).sum() == 0


def test_the_order_of_an_epoch_is_seeded():
    batches = LabeledBatches(np.arange(50), np.arange(50), 50, 1, seed=1)
    callback = callback_of(keras.Sequential([keras.Input((2,))]), 0, batches)
    orders = []
    for epoch in (2, 3, 2):
        callback.on_epoch_begin(epoch)
        orders.append(batches[0][1].tolist())
    assert orders[0] == orders[2] != orders[1]


def build_trained(weights=None):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="relu"),
            StochasticDepth(0.25),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    if weights is not None:
        model.set_weights(weights)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model


def test_a_fit_in_two_parts_equals_one_in_one_go():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 6)).astype("float32"), rng.integers(0, 3, 20)
    batches = LabeledBatches(x, y, 4, 3, seed=0)
    start = build_trained().get_weights()

    def fit(weights, first_epoch, num_epochs):
        model = build_trained(weights)
        model.fit(
            batches.as_dataset(),
            initial_epoch=first_epoch,
            epochs=num_epochs,
            shuffle=False,
            verbose=0,
            callbacks=[SeedEpochs(0, batches)],
        )
        return model.get_weights()

    whole = fit(start, 0, 4)
    in_parts = fit(fit(start, 0, 2), 2, 4)
    for ours, theirs in zip(whole, in_parts, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_train_batch_end"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_gives_the_global_generators_back(hook, error):
    def stop(*args, **kwargs):
        raise error

    stopper = keras.callbacks.Callback()
    setattr(stopper, hook, stop)
    model = build_trained()
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    with pytest.raises(error):
        model.fit(
            np.ones((4, 6)),
            np.zeros(4),
            shuffle=False,
            verbose=0,
            callbacks=[SeedEpochs(), stopper],
        )
    after = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    assert after == before
    assert model._initial_epoch is None
