import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from keras_fewlabels.evaluation.frozen_features.head_kinds import (
    SIGMOIDS,
    softmax,
)
from keras_fewlabels.evaluation.frozen_features.temperature import (
    fit_temperature,
)


def drawn(count, temperature, seed=0):
    """Logits, and classes drawn by what they say at a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (count, 4))
    sums = softmax(logits / temperature).cumsum(axis=1)
    classes = (rng.random((count, 1)) < sums).argmax(axis=1)
    return logits, np.eye(4)[classes]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_finds_the_temperature_that_classes_were_drawn_at(temperature):
    logits, targets = drawn(20_000, temperature)
    found = fit_temperature(logits, targets)
    assert found == pytest.approx(temperature, rel=0.05)

    def loss(temperature):
        return -np.sum(targets * np.log(softmax(logits / temperature)))

    oracle = minimize_scalar(loss, bounds=(0.25, 4), method="bounded").x
    assert found == pytest.approx(oracle, rel=0.025)


@pytest.mark.parametrize("temperature", [0.5, 2.5])
def test_finds_the_temperature_of_several_labels(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (5000, 4))
    yes = SIGMOIDS.probabilities(logits / temperature)
    truth = (rng.random(yes.shape) < yes).astype("float32")
    found = fit_temperature(logits, truth, SIGMOIDS)
    assert found == pytest.approx(temperature, rel=0.05)


def test_few_rows_say_little():
    few = [fit_temperature(*drawn(6, 3.0, seed)) for seed in range(10)]
    many = fit_temperature(*drawn(5000, 3.0))
    assert 1 < np.mean(few) < 2.5 < many


def test_temperatures_are_bounded():
    logits = np.eye(4)[np.arange(4000) % 4]
    # Always right, and always wrong.
    assert fit_temperature(2 * logits, logits) == pytest.approx(0.25)
    wrong = np.roll(logits, 1, axis=1)
    assert fit_temperature(2 * logits, wrong) == pytest.approx(4)


def test_soft_targets_are_met():
    logits = np.random.default_rng(0).normal(0, 3, (2000, 4))
    found = fit_temperature(logits, softmax(logits / 2))
    assert found == pytest.approx(2, rel=0.03)
