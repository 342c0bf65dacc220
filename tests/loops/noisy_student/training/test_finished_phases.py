import os
import re

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
from keras_fewlabels.data.batches.mixed_batches import LabeledBatches
from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.task import inspect_task
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    FinishedPhases,
    PhaseBackup,
    run_identity,
)
from keras_fewlabels.loops.recommend import recommended_for
from keras_fewlabels.policies import FlexMatchPolicy

RUN = "a run"
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
        for layer in self.layers:
            layer.set_weights(
                [np.full(w.shape, self.number) for w in layer.weights]
            )
        return DETAILS


def values(model):
    return {float(value) for part in model.get_weights() for value in part.flat}


def run(folder, training, name="noisy student 1", identity=RUN):
    training.layers = [build(), FlexMatchPolicy(num_unlabeled=5)]
    training.layers[1].build((None, 3))
    phases = FinishedPhases(folder, lambda: identity)
    details = phases.run(name, training.layers, training)
    first, second = map(values, training.layers)
    assert first == second
    return first, details


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
        (backup.folder / "fit_backup_000001.npz").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, fails)
    backup = tmp_path / "noisy student 1"

    class Again(Training):
        def __call__(self, found):
            assert len(list(backup.iterdir())) == 1
            return super().__call__(found)

    assert run(tmp_path, Again()) == ({1.0}, DETAILS)
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


def test_the_folder_of_another_run_is_refused(tmp_path):
    run(tmp_path, Training())
    before = sorted(path.stat().st_mtime for path in tmp_path.iterdir())
    expected = "backup of a run with other data.*Received: " + re.escape(
        repr(str(tmp_path))
    )
    with pytest.raises(ValueError, match=expected):
        FinishedPhases(tmp_path, lambda: "another run")
    after = sorted(path.stat().st_mtime for path in tmp_path.iterdir())
    assert after == before
    FinishedPhases(tmp_path, lambda: RUN)


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
            FinishedPhases(folder, lambda: RUN)


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

    for _ in range(2):
        copy = keras.models.clone_model(model)

        def train(backup, copy=copy):
            copy.set_weights(expected)
            return {}

        FinishedPhases(tmp_path, lambda: RUN).run("phase", [copy], train)
        for ours, theirs in zip(copy.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype


RNG = np.random.default_rng(0)
BATCHES = LabeledBatches(
    RNG.normal(size=(20, 4)).astype("float32"), RNG.integers(0, 3, 20), 4, 3, 0
)


def classifier():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        "adam", "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


class Fails(keras.callbacks.Callback):
    """Ends a fit in the middle of an epoch, as if it were killed."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.is_near = epoch == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.is_near and batch == 1:
            raise KeyboardInterrupt


def fit(backup, fails_in=None, epochs=4):
    """A new model, fitted from where the backup is; the epoch of its start."""
    model = classifier()
    first_epoch = backup.resume(model)
    model.fit(
        BATCHES.as_dataset(),
        initial_epoch=first_epoch or 0,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[SeedEpochs(0, BATCHES), backup, Fails(fails_in)],
    )
    return model, first_epoch


def state(model):
    return [
        keras.ops.convert_to_numpy(variable).copy()
        for variable in (*model.weights, *model.optimizer.variables)
    ]


def check_equal(model, other):
    for ours, theirs in zip(state(model), state(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_fit_that_is_killed_again_and_again(tmp_path):
    whole = PhaseBackup(None)
    expected, first_epoch = fit(whole)
    assert first_epoch is None and list(whole.history) == [0, 1, 2, 3]
    assert {type(log) for log in whole.history[2].values()} == {float}
    folder = tmp_path / "phases" / "first"
    # The first starts as the other did; what the next ones are does not
    # matter, for they get the weights of the backup.
    keras.utils.set_random_seed(0)
    for fails_in in (1, 1, 3):
        with pytest.raises(KeyboardInterrupt):
            fit(PhaseBackup(folder), fails_in)
        newest = f"fit_backup_{fails_in:06d}"
        assert names(folder) == [f"{newest}.npz"]
    last = PhaseBackup(folder)
    model, first_epoch = fit(last)
    assert first_epoch == 3
    check_equal(model, expected)
    assert last.history == whole.history
    # One that was killed after its end has nothing left to do.
    again = PhaseBackup(folder)
    model, first_epoch = fit(again)
    assert first_epoch == 4
    check_equal(model, expected)
    assert again.history == whole.history
    again.remove()
    assert not folder.exists() and folder.parent.exists()


def run_epoch(backup, epoch, num_steps, logs=None):
    backup.on_epoch_begin(epoch)
    for step in range(num_steps):
        backup.on_train_batch_end(step)
    backup.on_epoch_end(epoch, logs)


def test_epochs_may_begin_anywhere(tmp_path):
    model = classifier()
    backup = PhaseBackup(tmp_path)
    assert backup.resume(model) is None
    backup.set_model(model)
    for epoch in (98, 99, 100):
        run_epoch(backup, epoch, 3, {"loss": np.float32(epoch)})
    other = PhaseBackup(tmp_path)
    assert other.resume(classifier()) == 101
    assert other.history == {epoch: {"loss": epoch} for epoch in (98, 99, 100)}
    assert other.steps == {98: 3, 99: 3, 100: 3}
    assert not other.has_stopped and not other.out_of_time


def test_a_backup_knows_that_a_phase_has_ended(tmp_path):
    model, backup = classifier(), PhaseBackup(tmp_path)
    assert backup.resume(model) is None
    backup.set_model(model)
    model.stop_training = backup.out_of_time = True
    run_epoch(backup, 5, 1)
    other = PhaseBackup(tmp_path)
    assert other.resume(classifier()) == 6
    assert other.has_stopped and other.out_of_time and other.steps == {5: 1}


def test_without_a_folder_only_the_history_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backup = PhaseBackup(None)
    assert backup.resume(classifier()) is None
    backup.set_model(classifier())
    for epoch, logs in ((0, None), (1, {"loss": 2})):
        run_epoch(backup, epoch, 1, logs)
    backup.remove()
    assert backup.history == {0: {}, 1: {"loss": 2.0}}
    assert names(tmp_path) == []


IMAGES = np.random.default_rng(0).random((60, 4, 4, 1), "float32")
LABELS = np.repeat([0, 1, 2], [12, 8, 4])


def dense(width=3):
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(width),
            keras.layers.Dense(3),
        ]
    )


def identity(model=None, images=IMAGES, seed=0, noise=None, **settings):
    model = dense() if model is None else model
    task = inspect_task(model, (images[:24], LABELS), images[24:])
    data = divide(task, None, None, 0.25, seed)
    settings = recommended_for(task, model, True).with_changes(settings)
    return run_identity(model, Recipe(task, settings, {"noise": noise}), data)


def test_another_process_has_the_same_identity():
    first, second = (identity(noise=RandAugment(2, 5)) for _ in range(2))
    assert first == second == identity(noise=RandAugment(2, 5), flip=False)


def changed_in_the_last_image():
    images = IMAGES.copy()
    images[-1, 0, 0, 0] += 0.001
    return images


def test_a_network_that_comes_trained_is_known_by_its_layers():
    model = dense()
    before = identity(model, pretrained=True)
    # The head is new in each process.
    head = model.layers[-1]
    head.kernel.assign(head.kernel + 1)
    assert identity(model, pretrained=True) == before
    first = model.layers[1]
    first.kernel.assign(first.kernel + 1)
    assert identity(model, pretrained=True) != before


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"magnitude": 6},
        {"ops": ["rotate"]},
        {"noise": RandAugment(2, 5)},
        {"images": IMAGES[::-1]},
        {"images": changed_in_the_last_image()},
        {"images": IMAGES[:-1]},
        {"model": dense(4)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_any_other_run_has_another_identity(changes):
    assert identity(**changes) != identity()
