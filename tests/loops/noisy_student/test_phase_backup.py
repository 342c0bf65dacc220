import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
from keras_fewlabels.data.batches.mixed_batches import LabeledBatches
from keras_fewlabels.loops.noisy_student.finished_phases import PhaseBackup

RNG = np.random.default_rng(0)
BATCHES = LabeledBatches(
    RNG.normal(size=(20, 4)).astype("float32"), RNG.integers(0, 3, 20), 4, 3, 0
)


def build():
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
    model = build()
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
        newest = f"epoch_{fails_in:06d}"
        assert names(folder) == [f"{newest}.json", f"{newest}.weights.h5"]
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


def test_epochs_may_begin_anywhere(tmp_path):
    model = build()
    backup = PhaseBackup(tmp_path)
    assert backup.resume(model) is None
    backup.set_model(model)
    for epoch in (98, 99, 100):
        backup.on_epoch_begin(epoch)
        backup.on_epoch_end(epoch, {"loss": np.float32(epoch)})
    other = PhaseBackup(tmp_path)
    assert other.resume(build()) == 101
    assert other.history == {epoch: {"loss": epoch} for epoch in (98, 99, 100)}


def test_without_a_folder_only_the_history_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backup = PhaseBackup(None)
    assert backup.resume(build()) is None
    for epoch, logs in ((0, None), (1, {"loss": 2})):
        backup.on_epoch_begin(epoch)
        backup.on_epoch_end(epoch, logs)
    backup.remove()
    assert backup.history == {0: {}, 1: {"loss": 2.0}}
    assert names(tmp_path) == []
