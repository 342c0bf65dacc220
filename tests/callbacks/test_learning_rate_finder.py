import json

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.datasets import load_digits

from keras_fewlabels.callbacks import LearningRateFinder
from keras_fewlabels.callbacks.learning_rate_finder import (
    moving_average,
    steepest_fall,
)

DIGITS = load_digits()
X, Y = (DIGITS.images / 16).astype("float32"), DIGITS.target


def classifier(optimizer="adam"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def state_of(model):
    variables = [*model.weights, *model.optimizer.variables]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def test_rates_grow_by_one_factor_and_the_suggestion_learns():
    finder = LearningRateFinder(1e-5, 10.0, num_steps=80)
    model = classifier()
    model.fit(X, Y, 32, epochs=2, callbacks=[finder], verbose=0)
    factors = finder.rates[1:] / finder.rates[:-1]
    np.testing.assert_allclose(factors, 1e6 ** (1 / 79), rtol=1e-4)
    assert len(finder.rates) == len(finder.losses)
    assert 1e-3 < finder.suggestion < 0.1

    def loss(rate):
        model = classifier(keras.optimizers.Adam(rate))
        history = model.fit(X, Y, 32, epochs=2, verbose=0).history
        return history["loss"][-1]

    suggested = loss(finder.suggestion)
    assert suggested < loss(finder.suggestion / 30)
    assert suggested < loss(finder.suggestion * 30)


def test_ends_where_the_loss_explodes():
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    finder = LearningRateFinder(1e-6, 1e3, num_steps=100)
    x = X.reshape(-1, 64)
    model.fit(x, Y[:, None], 32, epochs=2, callbacks=[finder], verbose=0)
    assert 10 < len(finder.rates) < 100
    assert finder.losses[-1] > 2 * finder.losses.min()
    assert finder.suggestion < finder.rates[-1] / 3
    assert np.isfinite(model.get_weights()[0]).all()


def test_model_and_optimizer_are_what_they_were():
    model = classifier(keras.optimizers.Adam(3e-3))
    model.fit(X, Y, verbose=0)
    before = state_of(model)
    finder = LearningRateFinder(num_steps=20)
    model.fit(X, Y, callbacks=[finder], verbose=0)
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(old, new)
    assert float(model.optimizer.learning_rate) == pytest.approx(3e-3)
    # And can be used again.
    first = finder.losses
    model.fit(X, Y, shuffle=False, callbacks=[finder], verbose=0)
    assert len(finder.losses) == len(first) == 20


def test_losses_are_those_of_the_batches_also_over_epochs():
    """Without smoothing, and at a rate that changes nothing."""
    finder = LearningRateFinder(1e-30, 2e-30, num_steps=25, smoothing=0)
    model = classifier()
    model.fit(
        X[:800], Y[:800], 80, epochs=3, shuffle=False, callbacks=[finder],
        verbose=0,
    )  # fmt: skip
    expected = [
        model.evaluate(X[i : i + 80], Y[i : i + 80], verbose=0)
        for i in range(0, 800, 80)
    ]
    np.testing.assert_allclose(finder.losses, (expected * 3)[:25], rtol=1e-4)


@pytest.mark.parametrize("batch_size", [4, 5, 8])
def test_a_smaller_last_batch_counts_as_much_as_it_holds(batch_size):
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Rescaling(0.0), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    # The outlier alone is in the last batch.
    x, y = np.ones((2 * batch_size + 1, 1)), np.ones((2 * batch_size + 1, 1))
    y[-1] = 10
    finder = LearningRateFinder(
        1e-30, 2e-30, num_steps=12, smoothing=0, divergence=1e9
    )
    model.fit(
        x, y, batch_size, epochs=4, shuffle=False, callbacks=[finder], verbose=0
    )
    np.testing.assert_allclose(finder.losses, [1, 1, 100] * 4, rtol=1e-5)


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_begin"])
def test_an_error_gives_the_model_back(hook):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    stopper = keras.callbacks.Callback()
    setattr(stopper, hook, stop)
    model = classifier(keras.optimizers.Adam(3e-3))
    model.fit(X[:64], Y[:64], verbose=0)
    before = state_of(model)
    finder = LearningRateFinder(num_steps=20)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, callbacks=[finder, stopper], verbose=0)
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(old, new)
    assert finder.suggestion is None
    # And the finder can be used again.
    model.fit(X, Y, callbacks=[finder], verbose=0)
    assert len(finder.losses) == 20


def test_smoothing_has_no_bias_towards_zero():
    finder = LearningRateFinder(1e-30, 2e-30, num_steps=10, smoothing=0.98)
    model = classifier()
    model.fit(X, Y, 100, shuffle=False, callbacks=[finder], verbose=0)
    loss = model.evaluate(X[:1000], Y[:1000], verbose=0)
    np.testing.assert_allclose(finder.losses, loss, rtol=0.1)


def test_moving_average():
    assert moving_average([2.0, 2.0, 2.0], 0.7).tolist() == [2, 2, 2]
    values = np.array([3.0, 1.0, 4.0])
    weights = np.array([0.8**2, 0.8, 1]) * 0.2 / (1 - 0.8**3)
    assert moving_average(values, 0.8)[-1] == pytest.approx(values @ weights)


def test_steepest_fall():
    rates = np.logspace(-6, 0, 61)
    # Falls by a logistic curve around 1e-2, then explodes.
    losses = 2 - 1 / (1 + (1e-2 / rates) ** 3) + 100 * rates**4
    assert steepest_fall(rates, losses) == pytest.approx(1e-2, rel=0.3)
    losses[55:] = np.nan
    assert steepest_fall(rates, losses) == pytest.approx(1e-2, rel=0.3)
    # A diverged training that comes back counts for nothing.
    losses[50:56] = [3.0, 9.0, 20.0, 8.0, 2.0, 1.5]
    assert steepest_fall(rates, losses) == pytest.approx(1e-2, rel=0.3)
    assert steepest_fall(rates, rates) is None
    assert steepest_fall(rates[:1], rates[:1]) is None


def test_prints_draws_and_saves_what_it_found(tmp_path):
    finder = LearningRateFinder(num_steps=20)
    assert str(finder) == "No learning rate has been tested."
    assert finder.figure() is None
    classifier().fit(X, Y, callbacks=[finder], verbose=0)
    finder.rates = np.array([1e-3, 1e-2, 0.1])
    finder.losses, finder.suggestion = np.array([2.5, 2.0, np.inf]), 0.01
    assert str(finder) == (
        "3 learning rates tested, from 0.001 to 0.1: the loss falls most "
        "steeply at 0.01"
    )
    (axes,) = finder.figure().axes
    assert axes.get_title() == "steepest fall at 0.01"
    finder.save(tmp_path)
    assert json.loads((tmp_path / "learning_rates.json").read_text()) == {
        "suggestion": 0.01,
        "rates": [1e-3, 1e-2, 0.1],
        "losses": [2.5, 2.0, None],
    }
    assert (tmp_path / "learning_rates.png").stat().st_size > 0


def test_a_loss_that_never_falls_has_no_suggestion():
    finder = LearningRateFinder()
    finder.rates, finder.losses = np.array([0.1, 1.0]), np.array([2.0, 9.0])
    assert str(finder).endswith("from 0.1 to 1: the loss never falls")
    assert finder.figure().axes[0].get_title() == ""


def fit(finder, epochs=5, **kwargs):
    model = classifier()
    if kwargs:
        model.compile(loss="sparse_categorical_crossentropy", **kwargs)
    model.fit(X, Y, 64, epochs=epochs, callbacks=[finder], verbose=0)


SCHEDULE = keras.optimizers.schedules.CosineDecay(1e-3, 100)
ERRORS = {
    "order": (
        lambda: LearningRateFinder(1.0, 0.1),
        r"below `max_rate`. Received: min_rate=1\.0, max",
    ),
    "zero": (lambda: LearningRateFinder(0.0), r"above 0. Received: min_rate=0"),
    "steps": (lambda: LearningRateFinder(num_steps=5), "num_steps=5"),
    "smoothing": (lambda: LearningRateFinder(smoothing=1), "smoothing=1"),
    "divergence": (lambda: LearningRateFinder(divergence=1), "divergence=1"),
    "short fit": (
        lambda: fit(LearningRateFinder(), epochs=2),
        r"needs 100 batches.*2 epoch\(s\) of 29 batches",
    ),
    "schedule": (
        lambda: fit(
            LearningRateFinder(), optimizer=keras.optimizers.Adam(SCHEDULE)
        ),
        "compiled with a LearningRateSchedule cannot be set",
    ),
    "several steps": (
        lambda: fit(LearningRateFinder(), steps_per_execution=4),
        "steps_per_execution=4",
    ),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    with pytest.raises(ValueError, match=case[1]):
        case[0]()
