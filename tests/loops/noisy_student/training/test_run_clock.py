import math
import time
import types

import keras
import numpy as np

from keras_fewlabels.loops.noisy_student.training import run_clock
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    PhaseBackup,
)
from keras_fewlabels.loops.noisy_student.training.run_clock import RunClock


def test_without_a_limit_there_is_time_for_all():
    clock = RunClock()
    assert clock.seconds_left == math.inf
    assert clock.seconds_left_for_features == math.inf
    assert clock.callbacks(math.inf, math.inf, PhaseBackup(None)) == []


def test_time_that_has_passed_is_not_left():
    now = time.perf_counter()
    clock, later = RunClock(100.0, now), RunClock(100.0, now - 50)
    assert 45 < clock.seconds_left_for_features < 60 < clock.seconds_left < 100
    assert 40 < later.seconds_left < 50
    assert later.seconds_left_for_features < 10


def test_a_fit_ends_when_its_time_is_up():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    steps = []
    counter = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: steps.append(batch)
    )
    clock = RunClock(1000.0)
    for *seconds, expected in (
        (0.0, 9.0, 1),
        (9.0, 0.0, 1),
        (900.0, 900.0, 10),
    ):
        steps.clear()
        backup = PhaseBackup(None)
        model.fit(
            np.ones((10, 1)),
            np.ones((10, 1)),
            batch_size=1,
            verbose=0,
            callbacks=[counter, *clock.callbacks(*seconds, backup)],
        )
        assert len(steps) == expected
        assert backup.out_of_time is (expected == 1)


def test_what_comes_before_the_second_step_does_not_count(monkeypatch):
    model = types.SimpleNamespace(stop_training=False)
    seconds = iter([0.0, 50.0, 55.0, 60.0])
    time = types.SimpleNamespace(perf_counter=lambda: next(seconds))
    monkeypatch.setattr(run_clock, "time", time)
    clock = RunClock(100.0)
    (stop,) = clock.callbacks(10.0, 70.0, PhaseBackup(None))
    stop.set_model(model)
    ends = []
    for batch in range(3):
        stop.on_train_batch_end(batch)
        ends.append(model.stop_training)
    assert ends == [False, False, True]
