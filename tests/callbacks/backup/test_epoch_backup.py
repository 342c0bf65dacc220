import os
import pathlib
import resource
import shutil

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.callbacks.backup.epoch_backup import EpochBackup
from keras_fewlabels.foundation import atomic_write


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


def files_of(epoch):
    return [f"fit_backup_{epoch:06d}.npz"]


def test_the_newest_state_comes_back(tmp_path):
    folder = tmp_path / "fits" / "first"
    backup = EpochBackup(folder)
    assert backup.restore(model_of(7)) is None
    # Epochs are sorted as numbers: 99 comes before 100.
    for epoch in (98, 99, 100):
        backup.write(model_of(epoch), epoch, {"loss": epoch / 3})
    assert names(folder) == files_of(100)
    model = model_of(7)
    assert EpochBackup(folder).restore(model) == (100, {"loss": 100 / 3})
    assert value_of(model) == 100
    backup.remove()
    assert not folder.exists() and folder.parent.exists()


def test_only_its_own_files_are_removed(tmp_path):
    backup = EpochBackup(tmp_path)
    backup.write(model_of(3), 1, None)
    others = ["epoch_best.weights.h5", "fit_backup_best.npz", "notes.txt"]
    for name in others:
        (tmp_path / name).touch()
    backup.write(model_of(4), 2, None)
    assert names(tmp_path) == sorted([*others, *files_of(2)])
    backup.remove()
    assert names(tmp_path) == others


def test_a_link_to_a_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder")
    EpochBackup(link).write(model_of(3), 1, None)
    EpochBackup(link).remove()
    assert EpochBackup(link).restore(model_of(7)) is None


def test_a_backup_that_cannot_be_removed_is_named(tmp_path, monkeypatch):
    def refuse(self, missing_ok=False):
        raise PermissionError("read-only file system")

    EpochBackup(tmp_path).write(model_of(3), 1, None)
    monkeypatch.setattr(pathlib.Path, "unlink", refuse)
    with pytest.warns(UserWarning, match="next fit.*would go on.*read-only"):
        EpochBackup(tmp_path).remove()


def test_the_model_is_as_it_was_if_the_facts_are_refused(tmp_path):
    def check(facts):
        raise ValueError(f"not {facts}")

    EpochBackup(tmp_path).write(model_of(3), 1, "these")
    model = model_of(7)
    with pytest.raises(ValueError, match="not these"):
        EpochBackup(tmp_path).restore(model, check)
    assert value_of(model) == 7


LAYOUTS = {
    "no facts": lambda arrays: arrays.pop("facts"),
    "deeply nested facts": lambda arrays: arrays.update(
        facts=np.array("[" * 100_000)
    ),
    "facts cut off": lambda arrays: arrays.update(facts=np.array("{")),
    "no variable": lambda arrays: arrays.pop("variable_0"),
    "another shape": lambda arrays: arrays.update(variable_0=np.zeros(1)),
    "no model": lambda arrays: arrays.pop("of"),
}


@pytest.mark.parametrize("change", LAYOUTS.values(), ids=LAYOUTS)
def test_files_of_another_layout_are_named(change, tmp_path):
    EpochBackup(tmp_path).write(model_of(3), 1, None)
    store = ArrayStore(tmp_path)
    arrays = store.read("fit_backup_000001", "fit_backup_")
    change(arrays)
    store.write("fit_backup_000001", "fit_backup_", arrays)
    model = model_of(7)
    with pytest.raises(ValueError, match=r"another layout.*fit_backup_000001"):
        EpochBackup(tmp_path).restore(model)
    assert value_of(model) == 7


def test_two_processes_with_one_folder(tmp_path):
    first, second = EpochBackup(tmp_path), EpochBackup(tmp_path)
    with atomic_write(tmp_path / "fit_backup_000009.npz") as file:
        # The second begins, writes and ends while the first is writing.
        second.restore(model_of(7))
        second.write(model_of(1), 1, None)
        second.remove()
        file.write(b"{}")
    first.write(model_of(2), 2, "first")
    assert second.restore(model_of(7)) == (2, "first")


def test_another_process_removes_what_was_just_written(tmp_path, monkeypatch):
    backup = EpochBackup(tmp_path)
    write = backup._store.write

    def write_and_lose(*args):
        write(*args)
        other = EpochBackup(tmp_path)
        other.write(model_of(4), 4, "other")

    monkeypatch.setattr(backup._store, "write", write_and_lose)
    backup.write(model_of(3), 3, "lost")
    monkeypatch.undo()
    backup.write(model_of(5), 5, "here")
    assert backup.restore(model_of(7)) == (5, "here")


def test_a_folder_that_is_gone_comes_back(tmp_path):
    backup = EpochBackup(tmp_path / "backup")
    backup.write(model_of(1), 1, None)
    backup.remove()
    assert not (tmp_path / "backup").exists()
    backup.write(model_of(2), 2, "here")
    assert backup.restore(model_of(7)) == (2, "here")


def test_a_full_disk_leaves_the_state_before(tmp_path):
    EpochBackup(tmp_path).write(model_of(1), 1, "before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError):
            EpochBackup(tmp_path).write(model_of(2), 2, "after")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == files_of(1)
    assert EpochBackup(tmp_path).restore(model_of(7)) == (1, "before")


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
            (np, "savez"),
            (os, "fsync"),
            (os, "replace"),
            (pathlib.Path, "unlink"),
            (shutil, "rmtree"),
        ):
            monkeypatch.setattr(
                owner, name, dying(getattr(owner, name), number, done)
            )

    return die_at


def dying(function, number, done):
    def wrapped(*args, **kwargs):
        done.append(function)
        if len(done) >= number:
            if function.__name__ == "savez":
                args[0].write(b"half of a file")
            raise KeyboardInterrupt
        return function(*args, **kwargs)

    return wrapped


# The steps: write, sync and rename the file, remove its folder, remove the old
# file.
@pytest.mark.parametrize(
    "number, epoch", [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)]
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
    assert has_left is (number < 5)
    model = model_of(7)
    facts = {1: "after one", 2: "after two"}[epoch]
    assert EpochBackup(tmp_path).restore(model) == (epoch, facts)
    assert value_of(model) == epoch
    # The files that the crash has left are removed.
    EpochBackup(tmp_path).write(model_of(3), 3, None)
    assert names(tmp_path) == files_of(3)


@pytest.mark.parametrize("num_kept, expected", [(1, None), (2, 2)])
def test_damaged_files_are_named_and_not_used(num_kept, expected, tmp_path):
    backup = EpochBackup(tmp_path, num_kept)
    for epoch in (1, 2, 3):
        backup.write(model_of(epoch), epoch, "fact")
    assert len(names(tmp_path)) == num_kept
    file = tmp_path / files_of(3)[0]
    content = file.read_bytes()
    file.write_bytes(content[:200] + b"#" + content[201:])
    model = model_of(7)
    with pytest.warns(UserWarning, match=f"{file} is damaged.*computed again"):
        restored = EpochBackup(tmp_path, num_kept).restore(model)
    assert restored == (None if expected is None else (expected, "fact"))
    assert value_of(model) == (expected or 7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_weights_of_other_dtypes(dtype, tmp_path):
    keras.config.set_dtype_policy(dtype)
    EpochBackup(tmp_path).write(model_of(3), 1, None)
    model = model_of(7)
    assert EpochBackup(tmp_path).restore(model) == (1, None)
    assert value_of(model) == 3
