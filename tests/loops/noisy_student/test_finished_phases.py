import os
import re

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.finished_phases import FinishedPhases
from keras_fewlabels.models import add_stochastic_depth

RUN = ([("rate", 0.5), ("ops", ["rotate"]), ("fill", None)], np.arange(4), 3)
DETAILS = {"steps": 3, "history": {"loss": [1.0, None]}, "name": "naïve"}


def build():
    inputs = keras.Input((4,))
    branch = keras.layers.Dense(4, name="branch")(inputs)
    branch = keras.layers.BatchNormalization(name="norm")(branch)
    outputs = keras.layers.Add()([inputs, branch])
    return keras.Model(inputs, outputs)


class Training:
    """Fills a model with a number, and counts how often it did."""

    def __init__(self, number=1):
        self.number = number
        self.backups = []

    def __call__(self, backup):
        self.backups.append(backup.folder)
        model = add_stochastic_depth(build(), 0.5)
        model.set_weights(
            [np.full(w.shape, self.number) for w in model.weights]
        )
        return model, DETAILS


def values(model):
    return {float(value) for part in model.get_weights() for value in part.flat}


def run(folder, training, name="noisy student 1", identity=RUN):
    student = build()
    details = FinishedPhases(folder, identity).run(name, student, training)
    return values(student), details


def test_without_a_folder_each_phase_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training = Training()
    for _ in range(2):
        assert run(None, training) == ({1.0}, DETAILS)
    assert training.backups == [None, None]
    assert list(tmp_path.iterdir()) == []


def test_a_finished_phase_is_not_run_again(tmp_path):
    folder = tmp_path / "new" / "folder"
    first, second = Training(1), Training(2)
    assert run(folder, first, "supervised") == ({1.0}, DETAILS)
    assert run(folder, second, "noisy student 1") == ({2.0}, DETAILS)
    never = Training(3)
    assert run(folder, never, "supervised") == ({1.0}, DETAILS)
    assert run(folder, never, "noisy student 1") == ({2.0}, DETAILS)
    assert first.backups == [folder / "supervised"]
    assert second.backups == [folder / "noisy student 1"]
    assert never.backups == []


def test_one_that_was_not_finished_is_run_again(tmp_path):
    def fails(backup):
        backup.folder.mkdir()
        (backup.folder / "epoch_000001.weights.h5").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, fails)
    training = Training()
    backup = tmp_path / "noisy student 1"

    def train(found):
        assert len(list(backup.iterdir())) == 1
        return training(found)

    assert run(tmp_path, train) == ({1.0}, DETAILS)
    # It is needed no more.
    assert not backup.exists()


@pytest.mark.parametrize("size", [0, 10, -100])
def test_a_damaged_file_is_named_and_the_phase_is_run_anew(tmp_path, size):
    run(tmp_path, Training(1))
    file = tmp_path / "noisy student 1.npz"
    file.write_bytes(file.read_bytes()[:size])
    expected = re.escape(str(file)) + r" is damaged .*computed again\."
    with pytest.warns(UserWarning, match=expected):
        assert run(tmp_path, Training(2)) == ({2.0}, DETAILS)
    assert run(tmp_path, Training(3)) == ({2.0}, DETAILS)


@pytest.mark.parametrize(
    "other",
    [
        (*RUN[:2], 4),
        (RUN[0][:2], *RUN[1:]),
        (RUN[0], np.arange(5), 3),
        (RUN[0], np.arange(4.0), 3),
        (RUN[0], -np.arange(4), 3),
        ([("rate", 0.25), *RUN[0][1:]], *RUN[1:]),
    ],
)
def test_the_folder_of_another_run_is_refused(tmp_path, other):
    run(tmp_path, Training())
    before = sorted(path.stat().st_mtime for path in tmp_path.iterdir())
    expected = "backup of a run with other data.*Received: " + re.escape(
        repr(str(tmp_path))
    )
    with pytest.raises(ValueError, match=expected):
        FinishedPhases(tmp_path, other)
    after = sorted(path.stat().st_mtime for path in tmp_path.iterdir())
    assert after == before
    FinishedPhases(tmp_path, RUN)


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    folders = [file, file / "folder"]
    if os.geteuid():
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        folders.append(locked)
    for folder in folders:
        with pytest.raises(
            OSError, match=r"`backup_dir` must be a folder.*Received: back"
        ):
            FinishedPhases(folder, RUN)


def test_weights_of_any_dtype(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(3, dtype="float16"),
            keras.layers.Dense(3),
        ]
    )
    weights = [np.random.default_rng(0).random(w.shape) for w in model.weights]
    model.set_weights(weights)
    expected = [np.array(part) for part in model.get_weights()]

    def train(backup):
        return model, {}

    for _ in range(2):
        copy = keras.models.clone_model(model)
        FinishedPhases(tmp_path, RUN).run("phase", copy, train)
        for ours, theirs in zip(copy.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
