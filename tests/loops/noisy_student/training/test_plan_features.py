import dataclasses
import types

import keras
import numpy as np
import pytest

from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.features import with_features
from keras_fewlabels.evaluation.frozen_features.compute_features import (
    FeatureReader,
)
from keras_fewlabels.loops.noisy_student.phases import Phase
from keras_fewlabels.loops.noisy_student.training import plan_features
from keras_fewlabels.loops.noisy_student.training.run_progress import (
    RunProgress,
)

IMAGES = np.random.default_rng(0).random((40, 4, 4, 1), "float32")
TUNING = Phase(
    "tuning", "fine-tuning", 50, with_unlabeled=True, num_predicted=40
)
ROUNDS = [dataclasses.replace(TUNING, generation=n) for n in (1, 2)]


def plan(monkeypatch, seconds_for_features, seconds_left=np.inf, mirrored=True):
    """Plans the features of 10 labelled and 30 other images, one a second."""
    monkeypatch.setattr(FeatureReader, "seconds_per_image", 1.0)
    monkeypatch.setattr(plan_features, "_ENOUGH", 20)
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    reader = FeatureReader(with_features(model), mirrored)
    clock = types.SimpleNamespace(
        seconds_left=seconds_left,
        seconds_left_for_features=seconds_for_features,
        tracing_of_step=0.0,
    )
    settings = types.SimpleNamespace(batch_size=1)
    found = plan_features.plan_features(
        reader,
        image_source(IMAGES[:10]),
        types.SimpleNamespace(unlabeled=image_source(IMAGES[10:])),
        clock,
        RunProgress([TUNING, *ROUNDS], settings, verbose=0),
    )
    assert reader.mirrored is mirrored
    return found


@pytest.mark.parametrize(
    ("seconds", "count", "mirrored"),
    [(np.inf, 30, True), (80, 30, True), (79, 30, False), (12, 12, False)],
)
def test_one_pass_takes_a_part_of_the_time(
    seconds, count, mirrored, monkeypatch
):
    found = plan(monkeypatch, seconds)
    assert found == {"num_unlabeled": count, "mirrored": mirrored}


def test_views_that_are_not_asked_for_are_not_planned(monkeypatch):
    assert not plan(monkeypatch, np.inf, mirrored=False)["mirrored"]


@pytest.mark.parametrize(
    ("seconds_left", "count"),
    [
        # Five passes, the first of both views, in two fifths of the time.
        (300.0, 24),
        # Forty steps, each of four passes, and two passes of twenty images.
        (200.0, 20),
        # There is no time to train in any case.
        (199.0, 30),
    ],
)
def test_of_a_large_pool_no_more_are_read_than_leave_time_to_train(
    monkeypatch, seconds_left, count
):
    found = plan(monkeypatch, np.inf, seconds_left)
    assert found["num_unlabeled"] == count
