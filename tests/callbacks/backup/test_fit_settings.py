"""Fits that share a folder by accident, and those that do so rightly."""

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import ExactBackup, PseudoLabeler
from keras_fewlabels.callbacks.backup.fit_settings import FitSettings, _content
from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.foundation import fingerprint

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3


def classifier(rate=0.25, optimizer=None, loss=None):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dropout(rate),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        optimizer or keras.optimizers.SGD(0.1),
        loss or "sparse_categorical_crossentropy",
        run_eagerly=True,
    )
    return model


class Batches(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self.x[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


class Augmented(Batches):
    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return x + np.random.normal(size=x.shape), y  # noqa: NPY002


def tf_dataset(x):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, Y)).batch(4)


class Record(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        settings = FitSettings()
        settings.begin(self.model, self.params["steps"])
        self.values = settings.values


def settings_of(*data, model=None, **options):
    record = Record()
    model = classifier() if model is None else model
    model.fit(*data, callbacks=[record], verbose=0, **options)
    return record.values


def different(first, second):
    return {name for name in first if first[name] != second[name]}


OTHER_X = np.concatenate([X[:-1], X[-1:] + 1])
SWAPPED = Y[::-1].copy()
CASES = {
    "same": (dict, set()),
    "one value of x": (lambda: {"data": (OTHER_X, Y)}, {"data"}),
    "y": (lambda: {"data": (X, SWAPPED)}, {"data"}),
    "dtype": (lambda: {"data": (X.astype("float64"), Y)}, {"data"}),
    "weights": (lambda: {"sample_weight": np.ones(12)}, {"data"}),
    "batch size": (
        lambda: {"batch_size": 3},
        {"batch_size", "number of batches"},
    ),
    "class weights": (lambda: {"class_weight": {0: 2.0}}, {"class_weight"}),
    "order": (lambda: {"shuffle": False}, {"shuffle"}),
    "learning rate": (
        lambda: {"model": classifier(optimizer=keras.optimizers.SGD(0.2))},
        {"optimizer or learning rate"},
    ),
    "momentum": (
        lambda: {"model": classifier(optimizer=keras.optimizers.SGD(0.1, 0.9))},
        {"optimizer or learning rate"},
    ),
    "dropout": (lambda: {"model": classifier(0.5)}, {"model"}),
    "loss": (
        lambda: {
            "model": classifier(
                loss=keras.losses.SparseCategoricalCrossentropy()
            )
        },
        {"loss"},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_differs(case):
    options, expected = case
    options = {"data": (X, Y), "batch_size": 4, **options()}
    data = options.pop("data")
    found = different(
        settings_of(X, Y, batch_size=4), settings_of(*data, **options)
    )
    assert found == expected


@pytest.mark.parametrize(
    "dataset", [Batches, pytest.param(tf_dataset, marks=pytest.mark.tensorflow)]
)
def test_of_a_dataset_the_first_batch_counts(dataset):
    first = settings_of(dataset(X))
    assert different(first, settings_of(dataset(X))) == set()
    assert different(first, settings_of(dataset(X + 1))) == {"data"}


def mixed(x, y, stream=False, **options):
    unlabeled = x[6:]
    if stream:
        import tensorflow as tf

        unlabeled = tf.data.Dataset.from_tensor_slices(unlabeled)
    return mix_labeled_unlabeled((x[:6], y[:6]), unlabeled, 2, **options)


def with_pseudo_labels(x, y, stream=False, **options):
    unlabeled = x[6:]
    if stream:
        import tensorflow as tf

        unlabeled = tf.data.Dataset.from_tensor_slices(unlabeled)
    labeler = PseudoLabeler(unlabeled)
    return labeler.mixed_with((x[:6], y[:6]), 2, **options)


@pytest.mark.parametrize(
    "stream", [False, pytest.param(True, marks=pytest.mark.tensorflow)]
)
@pytest.mark.parametrize("make", [mixed, with_pseudo_labels])
def test_of_mixed_data_the_content_counts_not_the_order(make, stream):
    def content(x, y, seed):
        return fingerprint(_content(make(x, y, stream, seed=seed)))

    images = X.reshape(12, 4, 1, 1)
    expected = content(images, Y, 1)
    assert content(images, Y, 2) == expected
    assert content(images + 1, Y, 1) != expected
    assert content(images, (Y + 1) % 3, 1) != expected


def test_a_dataset_that_draws_by_itself_counts_by_its_shapes():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first = settings_of(Augmented(X))
    assert different(first, settings_of(Augmented(X))) == set()
    assert before != np.random.get_state()[1].tolist()  # noqa: NPY002


def fit(model, folder, epochs, callbacks=(), data=(X, Y), **options):
    # The place in the list makes no difference.
    callbacks = [ExactBackup(folder, delete_checkpoint=False), *callbacks]
    options = {"batch_size": 4, "verbose": 0, **options}
    return model.fit(*data, epochs=epochs, callbacks=callbacks, **options)


def test_another_fit_in_the_folder_is_refused_and_the_model_stays(tmp_path):
    fit(classifier(), tmp_path, 1)
    model = classifier()
    before = model.get_weights()
    expected = "differs in: data.*Received: backup_dir="
    with pytest.raises(ValueError, match=expected):
        fit(model, tmp_path, 2, data=(OTHER_X, Y))
    for one, two in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.raises(ValueError, match="differs in: shuffle"):
        fit(model, tmp_path, 2, shuffle=False)
    # More epochs, another verbosity, validation data and callbacks are fine.
    options = {"validation_data": (X, Y), "verbose": 2}
    assert fit(classifier(), tmp_path, 2, **options).epoch == [0, 1]


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_ctrl_c_and_the_same_cell_again(tmp_path):
    # The schedule leaves another learning rate than it began with.
    decay = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        fit(model, tmp_path, 3, [decay, Interrupt()])
    assert fit(model, tmp_path, 3, [decay]).epoch == [0, 1, 2]
    with pytest.raises(KeyboardInterrupt):
        fit(model, tmp_path / "other", 3, [Interrupt()])
    model.optimizer.learning_rate = 0.5
    with pytest.raises(ValueError, match="differs in: optimizer"):
        fit(model, tmp_path / "other", 3)


def test_ctrl_c_and_the_same_cell_again_with_pseudo_labels(tmp_path):
    images = np.random.default_rng(0).random((20, 4, 1, 1), "float32")
    labeler = PseudoLabeler(images[8:], every=1, cache_dir=tmp_path / "labels")
    dataset = labeler.mixed_with((images[:8], np.arange(8) % 3), 4)
    model = keras.Sequential(
        [
            keras.Input((4, 1, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    options = {"data": (dataset,), "batch_size": None}
    with pytest.raises(KeyboardInterrupt):
        fit(model, tmp_path / "fit", 3, [labeler, Interrupt()], **options)
    history = fit(model, tmp_path / "fit", 3, [labeler], **options)
    assert history.epoch == [0, 1, 2]


def test_metrics_that_are_arrays_and_logs_that_are_no_numbers(tmp_path):
    def run(epochs):
        note = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: logs.update(
                note="warm", nothing=None, rate=np.float32(0.5)
            )
        )
        model = classifier(loss="categorical_crossentropy")
        model.compile("sgd", model.loss, metrics=[keras.metrics.F1Score()])
        history = fit(
            model, tmp_path, epochs, [note], data=(X, np.eye(3)[Y])
        ).history
        return history

    run(1)
    history = run(2)
    assert np.shape(history["f1_score"]) == (2, 3)
    assert history["note"] == ["warm", "warm"]
    assert history["nothing"] == [None, None]
    assert history["rate"] == [0.5, 0.5]


def test_a_full_disk_ends_the_fit_and_the_backup_before_stays(
    tmp_path, monkeypatch
):
    fit(classifier(), tmp_path, 1)
    files = sorted(tmp_path.iterdir())

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="space"):
        patch.setattr(np, "savez", full)
        fit(classifier(), tmp_path, 2)
    assert sorted(tmp_path.iterdir()) == files
    assert fit(classifier(), tmp_path, 2).epoch == [0, 1]
