"""Fits on a folder that other processes, disks, clocks and users disturb."""

import os
import pathlib
import shutil

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import ExactBackup, PseudoLabeler

IMAGES = np.random.default_rng(0).random((20, 4, 1, 1), "float32")
LABELED = IMAGES[:8], np.arange(8) % 3


def classifier():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4, 1, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    return model


def fit(folder, epochs=3, callbacks=(), model=None, images=IMAGES, **options):
    """Returns the model and the history of a self-training with backups."""
    model = model or classifier()
    labeler = PseudoLabeler(images[8:], every=1, cache_dir=folder / "labels")
    history = model.fit(
        labeler.mixed_with(LABELED, 4, seed=1),
        epochs=epochs,
        verbose=0,
        callbacks=[
            labeler,
            *callbacks,
            ExactBackup(
                folder / "fit", seed=1, delete_checkpoint=False, **options
            ),
        ],
    )
    return model, history


def assert_same(model, other):
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def at_epoch(number, function):
    def call(epoch, logs=None):
        if epoch == number:
            function()

    return keras.callbacks.LambdaCallback(on_epoch_begin=call)


def raising(error):
    def function():
        raise error

    return at_epoch(2, function)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The end of a fit that nothing disturbs."""
    return fit(tmp_path_factory.mktemp("whole"))[0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("a fault")])
def test_an_error_of_the_user_and_the_same_cell_again(error, whole, tmp_path):
    kind = error if isinstance(error, type) else type(error)
    model = classifier()
    with pytest.raises(kind):
        fit(tmp_path, callbacks=[raising(error)], model=model)
    again, history = fit(tmp_path, model=model)
    assert history.epoch == [0, 1, 2]
    assert_same(again, whole)


@pytest.mark.parametrize("gone", ["fit", "labels", "."])
def test_a_folder_that_goes_away_in_a_fit_comes_back(gone, whole, tmp_path):
    folder = tmp_path / "run"
    remove = at_epoch(1, lambda: shutil.rmtree(folder / gone))
    model, _ = fit(folder, callbacks=[remove])
    assert_same(model, whole)
    # The backup of the end is whole, and so is the last labelling.
    resumed, history = fit(folder)
    assert history.epoch == [0, 1, 2]
    assert_same(resumed, whole)


@pytest.mark.parametrize("part", ["fit", "labels"])
def test_a_file_in_the_place_of_a_folder_is_refused(part, tmp_path):
    # As on a folder that takes no new files, which root may write to.
    (tmp_path / part).write_bytes(b"")
    model = classifier()
    before = [np.array(weight) for weight in model.get_weights()]
    with pytest.raises(OSError, match=r"_dir` must be a folder.*Received"):
        fit(tmp_path, model=model)
    for one, two in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.skipif(
    not os.path.isdir("/proc/self"), reason="needs the file system of Linux"
)
def test_a_folder_that_nobody_may_write_to_is_refused():
    with pytest.raises(OSError, match="`backup_dir` must be a folder"):
        model = classifier()
        backup = ExactBackup("/proc/self/backup")
        model.fit(*LABELED, callbacks=[backup], verbose=0)
    with pytest.raises(OSError, match="`cache_dir` must be a folder"):
        fit(pathlib.Path("/proc/self"))


@pytest.mark.parametrize("shift", [-(10**6), 10**6])
def test_a_clock_that_is_set_changes_nothing(shift, whole, tmp_path):
    def set_clock():
        # Older files seem newer than those that follow, or all the same.
        for path in tmp_path.rglob("*.npz"):
            stamp = path.stat().st_mtime - shift
            os.utime(path, (stamp, stamp))

    with pytest.raises(RuntimeError, match="a fault"):
        fit(
            tmp_path,
            callbacks=[
                at_epoch(1, set_clock),
                raising(RuntimeError("a fault")),
            ],
            double_checkpoint=True,
        )
    set_clock()
    model, history = fit(tmp_path, double_checkpoint=True)
    assert history.epoch == [0, 1, 2]
    assert_same(model, whole)


def test_other_unlabelled_images_in_the_same_folder(tmp_path):
    fit(tmp_path)
    model = classifier()
    with pytest.raises(ValueError, match="differs in: unlabelled images"):
        fit(tmp_path, 4, model=model, images=IMAGES[::-1])
    assert_same(model, classifier())
