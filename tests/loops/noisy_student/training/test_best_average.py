import types

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.training.best_average import (
    BestAverage,
    WatchValidation,
)


def build():
    return keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(3),
            keras.layers.BatchNormalization(),
        ]
    )


def fill(model, value):
    model.set_weights(
        [np.full(weight.shape, value) for weight in model.weights]
    )


def values(model):
    return {float(value) for part in model.get_weights() for value in part.flat}


def test_nothing_was_seen_yet():
    best = BestAverage(build())
    assert best["epoch"] == best["lowest_loss_epoch"] == -1
    assert best["accuracy"] == -1
    assert best["lowest_loss"] == np.inf


def test_weights_of_the_most_accurate_epoch_are_kept():
    model = build()
    best = BestAverage(model)
    # Of equals the first, whose weights are older and the loss may be higher.
    seen = [(0.5, 2.0), (0.75, 3.0), (0.7, 1.0), (0.75, 1.5), (0.25, 4.0)]
    for epoch, (accuracy, loss) in enumerate(seen, 3):
        fill(model, epoch)
        best.note_epoch(model, epoch, accuracy, loss)
    assert (best["epoch"], best["accuracy"]) == (4, 0.75)
    assert (best["lowest_loss_epoch"], best["lowest_loss"]) == (5, 1.0)
    assert values(model) == {7}
    best.restore(model)
    assert values(model) == {4}
    # They are copies in both directions.
    fill(model, 9)
    best.restore(model)
    assert values(model) == {4}


@pytest.mark.parametrize("num_images", [1, 10, 100, 10_000])
@pytest.mark.parametrize("accuracy", [0.1, 0.5, 0.8])
def test_better_is_better_by_more_than_one_standard_error(accuracy, num_images):
    model = build()
    best = BestAverage(model)
    best.note_epoch(model, 0, accuracy, 1.0)
    # Of a share of so many images, each of which is right or not.
    draws = np.random.default_rng(0).binomial(num_images, accuracy, 40_000)
    error = np.std(draws / num_images)
    assert not best.is_better_than(accuracy, num_images)
    assert not best.is_better_than(accuracy - 0.95 * error, num_images)
    assert best.is_better_than(accuracy - 1.05 * error, num_images)


def test_one_that_is_always_right_is_better_than_any_other():
    model = build()
    best = BestAverage(model)
    best.note_epoch(model, 0, 1.0, 0.1)
    assert not best.is_better_than(1.0, 10)
    assert best.is_better_than(0.9, 10)


def test_it_is_saved_with_a_model_and_is_not_trained(tmp_path):
    def holder(average):
        model = build()
        model.best = BestAverage(average)
        return model

    average = build()
    model = holder(average)
    assert len(model.trainable_variables) == 4
    fill(average, 5)
    model.best.note_epoch(average, 6, 0.5, 0.25)
    model.save_weights(tmp_path / "all.weights.h5")
    fill(average, 0)
    other = holder(average)
    other.load_weights(tmp_path / "all.weights.h5")
    for name, value in (
        ("accuracy", 0.5),
        ("epoch", 6),
        ("lowest_loss", 0.25),
        ("lowest_loss_epoch", 6),
    ):
        assert other.best[name] == value
    other.best.restore(average)
    assert values(average) == {5}


def watched(losses, patience, first_epoch=0):
    """The epoch after which a fit with these losses ends, and its model."""
    average = build()
    model = types.SimpleNamespace(
        best=BestAverage(average),
        average=types.SimpleNamespace(model=average),
        stop_training=False,
    )
    watch = WatchValidation(patience)
    watch.set_model(model)
    for epoch, loss in enumerate(losses, first_epoch):
        fill(average, epoch)
        logs = {"loss": 9.0}
        if loss is not None:
            logs |= {"val_loss": loss, "val_accuracy": 1 / (1 + loss)}
        watch.on_epoch_end(epoch, logs)
        if model.stop_training:
            return epoch, model
    return None, model


@pytest.mark.parametrize(
    "losses, patience, last",
    [
        ([3, 2, 1, 1, 1, 1], 2, 4),
        ([3, 2, 1, 2, 0.5, 2, 2, 2], 2, 6),
        ([3, 3, 3], 1, 1),
        ([1, 2, 3, 4], 3, 3),
        ([1, 2, 3], 3, None),
        ([5, 4, 3, 2, 1], 1, None),
        ([1, 2, 3, 4], None, None),
        # Nothing is known of an epoch that was not validated.
        ([None, None, None], 1, None),
        ([1, None, None, 2], 2, 3),
        ([float("nan"), float("nan")], 1, None),
    ],
)
def test_a_fit_ends_when_its_validation_has_settled(losses, patience, last):
    epoch, _ = watched(losses, patience)
    assert epoch == last
    # Epochs are counted through all phases.
    epoch, _ = watched(losses, patience, first_epoch=100)
    assert epoch == (None if last is None else last + 100)


def test_the_average_is_kept_whose_validation_was_best():
    _, model = watched([3, 1, 2], None, first_epoch=10)
    assert model.best["epoch"] == 11
    model.best.restore(model.average.model)
    assert values(model.average.model) == {11}


def test_a_fit_without_logs():
    watch = WatchValidation(1)
    watch.set_model(types.SimpleNamespace())
    watch.on_epoch_end(0)
