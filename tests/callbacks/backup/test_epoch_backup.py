import os
import pathlib

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.epoch_backup import EpochBackup


def model_of(value, units=2, optimizer="adam"):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units)])
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    model.set_weights([np.full(w.shape, value) for w in model.get_weights()])
    model.optimizer.iterations.assign(value)
    return model


def value_of(model):
    values = {float(part) for w in model.get_weights() for part in w.flat}
    values.add(float(keras.ops.convert_to_numpy(model.optimizer.iterations)))
    (value,) = values
    return value


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_state_comes_back(tmp_path):
    folder = tmp_path / "fits" / "first"
    backup = EpochBackup(folder)
    assert backup.restore(model_of(7)) is None
    # Epochs are sorted as numbers: 99 comes before 100.
    for epoch in (98, 99, 100):
        backup.write(model_of(epoch), epoch, {"loss": epoch / 3})
    assert names(folder) == ["epoch_000100.json", "epoch_000100.weights.h5"]
    model = model_of(7)
    assert EpochBackup(folder).restore(model) == (100, {"loss": 100 / 3})
    assert value_of(model) == 100
    backup.remove()
    assert not folder.exists() and folder.parent.exists()


def test_only_its_own_files_are_removed(tmp_path):
    backup = EpochBackup(tmp_path)
    backup.write(model_of(3), 1, None)
    (tmp_path / "notes.txt").touch()
    backup.remove()
    assert names(tmp_path) == ["notes.txt"]


def test_an_optimizer_that_is_not_built(tmp_path):
    EpochBackup(tmp_path).write(model_of(3), 1, None)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    assert EpochBackup(tmp_path).restore(model) == (1, None)
    assert value_of(model) == 3


@pytest.mark.parametrize(
    "other", [{"units": 4}, {"optimizer": "sgd"}, {"optimizer": "nadam"}]
)
def test_the_state_of_another_model_is_refused(other, tmp_path):
    EpochBackup(tmp_path).write(model_of(3), 1, None)
    model = model_of(7, **other)
    with pytest.raises(ValueError, match="another model or optimizer"):
        EpochBackup(tmp_path).restore(model)
    assert value_of(model) == 7


@pytest.fixture
def die_at(monkeypatch):
    """Returns a function that ends the work on files at the n-th step.

    From then on no file changes any more, as if the process was killed.
    """

    def die_at(number):
        done = []
        for owner, name in (
            (keras.Model, "save_weights"),
            (os, "fsync"),
            (os, "replace"),
            (os, "unlink"),
        ):
            monkeypatch.setattr(
                owner, name, dying(getattr(owner, name), number, done)
            )

    return die_at


def dying(function, number, done):
    def wrapped(*args, **kwargs):
        done.append(function)
        if len(done) >= number:
            if function.__name__ == "save_weights":
                pathlib.Path(args[1]).write_bytes(b"half of a file")
            raise KeyboardInterrupt
        return function(*args, **kwargs)

    return wrapped


# The steps: write the weights, sync and rename the facts, sync and rename the
# weights, remove two old files.
@pytest.mark.parametrize(
    "number, epoch", [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2), (7, 2)]
)
@pytest.mark.filterwarnings("error:.* is damaged")
def test_a_crash_leaves_the_old_state_or_the_new_one(
    number, epoch, die_at, monkeypatch, tmp_path
):
    backup = EpochBackup(tmp_path)
    backup.write(model_of(1), 1, "after one")
    die_at(number)
    with pytest.raises(KeyboardInterrupt):
        backup.write(model_of(2), 2, "after two")
    monkeypatch.undo()
    has_left = any(name.startswith(".unfinished-") for name in names(tmp_path))
    assert has_left is (epoch == 1)
    model = model_of(7)
    facts = {1: "after one", 2: "after two"}[epoch]
    assert EpochBackup(tmp_path).restore(model) == (epoch, facts)
    assert value_of(model) == epoch
    # The files that the crash has left are removed.
    EpochBackup(tmp_path).write(model_of(3), 3, None)
    assert names(tmp_path) == ["epoch_000003.json", "epoch_000003.weights.h5"]


@pytest.mark.parametrize("ending", ["weights.h5", "json"])
@pytest.mark.parametrize("num_kept, expected", [(1, None), (2, 2)])
def test_damaged_files_are_named_and_not_used(
    ending, num_kept, expected, tmp_path
):
    backup = EpochBackup(tmp_path, num_kept)
    for epoch in (1, 2, 3):
        backup.write(model_of(epoch), epoch, "fact")
    assert len(names(tmp_path)) == 2 * num_kept
    file = tmp_path / f"epoch_000003.{ending}"
    content = file.read_bytes()
    file.write_bytes(content[:-9] + b"#" + content[-8:])
    model = model_of(7)
    with pytest.warns(UserWarning, match=f"{file} is damaged.*trained again"):
        restored = EpochBackup(tmp_path, num_kept).restore(model)
    assert restored == (None if expected is None else (expected, "fact"))
    assert value_of(model) == (expected or 7)
