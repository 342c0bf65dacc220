import sys
import time
import types

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.phases import Phase
from keras_fewlabels.loops.noisy_student.training.run_clock import RunClock
from keras_fewlabels.loops.noisy_student.training.run_progress import (
    RunProgress,
)

SETTINGS = types.SimpleNamespace(batch_size=1, unlabeled_ratio=1.5)
# The student's steps cost three times as much as the supervised ones.
PLAN = [
    Phase("supervised", "supervised", 100, patience=3),
    Phase("noisy student", "noisy student", 100, generation=1),
]


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def run_epoch(callback, clock, epoch, num_steps=5, seconds=1.0, **logs):
    callback.on_epoch_begin(epoch)
    for step in range(num_steps):
        clock.seconds += seconds
        callback.on_train_batch_end(step, logs)
    callback.on_epoch_end(epoch, logs)


def test_a_line_for_each_epoch(clock, capsys):
    progress = RunProgress(PLAN, SETTINGS, 2)
    callback = progress.callback("supervised", (0, 4), 5)
    run_epoch(callback, clock, 0, loss=1.5, accuracy=0.5, other=3)
    # 19 of 20 steps take a second each, the other phase thrice as long.
    assert capsys.readouterr().out == (
        "supervised, epoch 1 of 4: loss 1.5000, accuracy 0.5000, "
        "at most 1:15 left\n"
    )


def test_the_first_step_says_nothing_of_the_others(clock, capsys):
    progress = RunProgress(PLAN, SETTINGS, 2)
    callback = progress.callback("supervised", (0, 4), 5)
    callback.on_epoch_begin(0)
    clock.seconds += 1000  # compiled
    callback.on_train_batch_end(0)
    assert progress.time_left("supervised", 0.05) == ""
    for step in range(1, 5):
        clock.seconds += 1
        callback.on_train_batch_end(step)
    assert progress.time_left("supervised", 0.25) == "at most 1:15 left"


def test_a_rung_says_what_it_brought_and_what_comes(monkeypatch, capsys):
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    rungs = [
        Phase("probe", "linear probe", 0),
        Phase("tuning", "fine-tuning", 10),
        Phase("tuning", "fine-tuning", 20, generation=1),
    ]
    progress = RunProgress(rungs, SETTINGS, 2, RunClock(limit=31.5))
    results = {
        "cross_validation": {"accuracy": 0.9, "num_images": 10},
        "seconds": 3,
        "pseudo_labels": {"class_shares": [0.2, 0.114, 0.686]},
    }
    progress.pace = 0.5
    progress.finish("probe", results)
    # A step costs as much as four passes of its one image.
    assert capsys.readouterr().out == (
        "probe: 90.0 % (60-98) of 10 labels by cross-validation, 0:03; each "
        "class seems to be 11 to 69 % of the pool\n"
        "to come: tuning 0:20, tuning 1 0:40; there are 0:30\n"
    )
    progress.finish("tuning", results | {"pseudo_labels": None})
    last = capsys.readouterr().out.splitlines()[1]
    assert last == "to come: tuning 1 0:40; there are 0:30"
    # It ends in time.
    assert progress.time_left("tuning 1", 0.0) == "0:30 left"
    assert progress.time_left("tuning 1", 0.5) == "0:20 left"
    progress = RunProgress(rungs[2:], SETTINGS, 2)
    progress.pace = 0.5
    progress.finish("probe", results)
    last = capsys.readouterr().out.splitlines()[1]
    assert last == "to come: tuning 1 0:40"


def test_what_is_over_is_not_waited_for(clock, capsys):
    progress = RunProgress(PLAN, SETTINGS, 2)
    callback = progress.callback("supervised", (0, 4), 5)
    run_epoch(callback, clock, 0)
    progress.finish("supervised")
    # It ended early, and its pace is all that is known.
    callback = progress.callback("noisy student 1", (1, 3), 5)
    assert progress.time_left("noisy student 1", 0.0) == "1:00 left"
    capsys.readouterr()
    run_epoch(callback, clock, 1, seconds=2.0, loss=1, mask_ratio=0.744)
    assert capsys.readouterr().out == (
        "noisy student 1, epoch 1 of 2: loss 1.0000, 74 % of the "
        "pseudo-labels used, 0:10 left\n"
    )
    progress.finish("noisy student 1")
    assert progress.phases == {}


def test_in_a_terminal_the_line_changes_in_place(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "70")
    progress = RunProgress(PLAN, SETTINGS, "auto")
    callback = progress.callback("supervised", (0, 2), 5)
    run_epoch(callback, clock, 0, seconds=0.3, loss=0.25)
    run_epoch(callback, clock, 1, seconds=0.3, loss=0.25, val_accuracy=0.5)
    callback.on_train_end()
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and out.endswith("\n")
    _, *lines = out.rstrip("\n").split("\r")
    # Twice a second at most, and at the end of each epoch.
    assert len(lines) == 6
    # A shorter line leaves nothing of a longer one, and none wraps.
    widths = [len(line) for line in lines]
    assert widths == sorted(widths) and widths[-1] <= 69
    assert lines[-1].startswith("supervised, epoch 2 of 2: loss 0.2500, val_")


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbose(clock, capsys, verbose):
    progress = RunProgress(PLAN, SETTINGS, verbose)
    callback = progress.callback("supervised", (0, 2), 5)
    run_epoch(callback, clock, 0, loss=1.0)
    callback.on_train_end()
    # A file has no line that changes in place.
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == (verbose > 0)


def test_in_a_fit_of_several_steps_at_once(capsys):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    # Torch knows only single steps.
    num_steps = 1 if keras.backend.backend() == "torch" else 2
    model.compile("sgd", "mse", steps_per_execution=num_steps)
    progress = RunProgress([Phase("fit", "supervised", 1)], SETTINGS, 2)
    model.fit(
        np.ones((12, 2)),
        np.ones((12, 1)),
        batch_size=2,
        epochs=2,
        callbacks=[progress.callback("fit", (0, 2), 6)],
        verbose=0,
    )
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("fit, epoch 1 of 2: loss ")
    assert second.endswith(", 0:00 left")
