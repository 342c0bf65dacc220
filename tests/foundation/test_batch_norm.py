import keras
import numpy as np
import pytest

from keras_fewlabels.foundation import (
    MovingStatistics,
    lagging_statistics,
    most_momentum,
)

RANDOM = np.random.default_rng(0)
CLASSES = np.arange(60) % 3
IMAGES = RANDOM.normal(0, 0.3, (60, 4, 4, 2)) + CLASSES[:, None, None, None]
IMAGES = IMAGES.astype("float32") * 20


def cross_entropy(from_logits=False):
    """The mean loss of the true classes, of outputs for all images."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits)
    return lambda outputs: float(loss(CLASSES, outputs))


def trained(momentum=0.99, activation="softmax", epochs=20):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(momentum=momentum),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation=activation),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(activation is None)
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(IMAGES, CLASSES, 30, epochs=epochs, verbose=0)
    return model


@pytest.mark.parametrize("activation", ["softmax", None])
def test_statistics_that_lag_behind_are_found_and_mended(activation):
    model = trained(activation=activation)
    weights = model.get_weights()
    lag = lagging_statistics(model, IMAGES, cross_entropy(activation is None))
    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    before, after, fresh = lag
    model.compile(loss=model.loss)
    loss = model.evaluate(IMAGES, CLASSES, batch_size=60, verbose=0)
    assert before == pytest.approx(loss, rel=1e-4)
    MovingStatistics(model).set(fresh)
    loss = model.evaluate(IMAGES, CLASSES, batch_size=60, verbose=0)
    assert after == pytest.approx(loss, rel=1e-3)
    assert after < before / 5
    assert lagging_statistics(model, IMAGES, cross_entropy()) is None


def test_statistics_that_have_settled_are_left_alone():
    assert lagging_statistics(trained(0.5), IMAGES, cross_entropy()) is None
    # Nothing helps a model that has learned nothing.
    untrained = trained(0.5, epochs=1)
    MovingStatistics(untrained).set(
        MovingStatistics(untrained).measured(IMAGES)
    )
    assert lagging_statistics(untrained, IMAGES, cross_entropy()) is None


def test_a_model_without_batch_normalization_is_not_called():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert not MovingStatistics(model)
    assert lagging_statistics(model, "nothing that it takes", None) is (None)


def test_momentum_looks_back_over_a_fiftieth_of_the_steps():
    found = [float(most_momentum(n)) for n in (1, 360, 499, 999, 4999, 10**6)]
    np.testing.assert_allclose(found[:3], 0.9, rtol=1e-6)
    np.testing.assert_allclose(found[3:5], [0.95, 0.99], rtol=1e-6)
    assert found[5] > 0.9999
