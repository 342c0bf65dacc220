"""What every public callback keeps, on every backend."""

import copy
import random

import keras
import numpy as np
import pytest

from keras_fewlabels import callbacks
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold

IMAGES = np.random.default_rng(0).random((12, 4, 4, 1), "float32")
LABELS = np.arange(12) % 3
LABELED = IMAGES[:6], LABELS[:6]


def build_model():
    keras.utils.set_random_seed(0)
    backbone = keras.Sequential(
        [
            keras.Input((16,)),
            keras.layers.Dense(4, name="low"),
            keras.layers.Dense(4, name="high"),
        ],
        name="backbone",
    )
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            backbone,
            keras.layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.01), loss, run_eagerly=True)
    return model


def exact_backup(folder):
    return callbacks.ExactBackup(folder / "backup", seed=1), LABELED


def fine_tune(folder):
    callback = callbacks.FineTune(
        "backbone", {0: 0, 1: 1, 2: "all"}, {1: 0.005}, layer_decay=0.5
    )
    return callback, LABELED


def learning_rate_finder(folder):
    return callbacks.LearningRateFinder(num_steps=10), LABELED


def pseudo_labeler(folder):
    labeler = callbacks.PseudoLabeler(
        IMAGES[6:],
        policy=DistributionAlignment(FixedThreshold(0.4), momentum=0.5),
        seed=1,
        cache_dir=folder / "labels",
    )
    return labeler, (labeler.mixed_with(LABELED, 2, seed=1),)


def tensor_board_embeddings(folder):
    return callbacks.TensorBoardEmbeddings(folder / "logs", IMAGES), LABELED


def tensor_board_images(folder):
    callback = callbacks.TensorBoardImages(folder / "logs", LABELED)
    return callback, LABELED


CALLBACKS = (
    exact_backup,
    fine_tune,
    learning_rate_finder,
    pseudo_labeler,
    tensor_board_embeddings,
    tensor_board_images,
)
every_callback = pytest.mark.parametrize(
    "make", CALLBACKS, ids=lambda make: make.__name__
)


def test_every_public_callback_is_here(tmp_path):
    made = {type(make(tmp_path)[0]).__name__ for make in CALLBACKS}
    assert made == set(callbacks.__all__)


def fit(data, *used, model=None, epochs=4, **options):
    model = build_model() if model is None else model
    if len(data) == 2:
        options["batch_size"] = 2
    model.fit(
        *data,
        epochs=epochs,
        shuffle=False,
        callbacks=list(used),
        verbose=0,
        **options,
    )
    return model


def weights_of(model):
    return [np.array(weight) for weight in model.get_weights()]


def assert_equal(one, other):
    for ours, theirs in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@every_callback
def test_an_instance_used_twice(make, tmp_path):
    callback, data = make(tmp_path)
    assert_equal(fit(data, callback), fit(data, callback))


@every_callback
def test_a_deep_copy(make, tmp_path):
    callback, data = make(tmp_path)
    copied = copy.deepcopy(callback)
    first = fit(data, callback)
    assert_equal(first, fit(data, copied))
    assert_equal(first, fit(data, copy.deepcopy(callback)))


@every_callback
def test_a_model_saved_in_between_and_resumed(make, tmp_path):
    callback, data = make(tmp_path)
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    whole = fit(data, callback, checkpoint)
    model = keras.saving.load_model(tmp_path / "2.keras")
    model.run_eagerly = True
    if isinstance(callback, callbacks.PseudoLabeler):
        # The rounds are in its folder.
        callback, data = make(tmp_path)
    resumed = fit(data, callback, model=model, initial_epoch=2)
    if isinstance(callback, callbacks.LearningRateFinder):
        # It gives back the weights that were loaded.
        whole = keras.saving.load_model(tmp_path / "2.keras")
    assert_equal(whole, resumed)


class Stop(keras.callbacks.Callback):
    def __init__(self, hook, error):
        super().__init__()
        self.error = error
        setattr(self, hook, self.stop)

    def stop(self, number, logs=None):
        if number == 1:
            raise self.error


def surroundings(model):
    layers = [model, *model.layers, *model.get_layer("backbone").layers]
    return (
        [layer.trainable for layer in layers],
        [sorted(vars(layer)) for layer in layers],
        sorted(vars(model.optimizer)),
        float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
        model._initial_epoch,
        random.getstate(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
    )


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_train_batch_end"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@every_callback
def test_an_error_leaves_everything_as_it_was(make, hook, error, tmp_path):
    callback, data = make(tmp_path)
    model = fit(data, callback)
    before = surroundings(model)
    with pytest.raises(error):
        fit(data, callback, Stop(hook, error), model=model)
    assert surroundings(model) == before
    # The same cell again.
    fit(data, callback, model=model)
    assert surroundings(model) == before


@pytest.mark.parametrize("is_first", [True, False])
@every_callback
def test_beside_the_callbacks_of_keras(make, is_first, tmp_path):
    callback, data = make(tmp_path)
    stock = [
        keras.callbacks.ModelCheckpoint(tmp_path / "model.keras"),
        keras.callbacks.EarlyStopping("val_loss", patience=3),
        keras.callbacks.ReduceLROnPlateau("val_loss", patience=1),
        keras.callbacks.BackupAndRestore(tmp_path / "stock"),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
    ]
    used = [callback, *stock] if is_first else [*stock, callback]
    model = fit(data, *used, validation_data=LABELED)
    assert keras.saving.load_model(tmp_path / "model.keras").built
    assert all(np.isfinite(weight).all() for weight in weights_of(model))
    if isinstance(callback, callbacks.LearningRateFinder):
        assert_equal(model, build_model())
