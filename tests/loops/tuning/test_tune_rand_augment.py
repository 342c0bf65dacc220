import inspect
import json
import sys

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops.tuning.tune_rand_augment import (
    RandAugmentTrials,
    tune_rand_augment,
)

DRAWN = np.random.default_rng(0)
X = DRAWN.integers(256, size=(24, 6, 6, 1)).astype("uint8")
Y = np.arange(24) % 2
# What can be learned: the upper half of class 1 is bright.
X[Y == 1, :3] //= 4
X[Y == 1, :3] += 190
TRAIN, VALIDATION = (X[:16], Y[:16]), (X[16:], Y[16:])


def build_model(rate=0.01, metrics=("accuracy",)):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=list(metrics),
    )
    return model


def tune(build_model=build_model, train=TRAIN, validation=VALIDATION, **kwargs):
    settings = {"num_ops": (1, 2), "magnitudes": (9,), "epochs": 1}
    # One op, for the sake of time to compile.
    settings |= {"ops": ["brightness"], "batch_size": 8, **kwargs}
    return tune_rand_augment(build_model, *train, validation, **settings)


def test_tries_the_whole_grid_and_makes_the_best_layer():
    trials = tune()
    assert list(trials.accuracies) == [(0, 0), (1, 9), (2, 9)]
    assert all(0 <= a <= 1 for a in trials.accuracies.values())
    best = trials.num_ops, trials.magnitude
    assert trials.accuracies[best] == max(trials.accuracies.values())
    layer = trials.layer(seed=3)
    assert isinstance(layer, RandAugment)
    assert (layer.num_ops, layer.magnitude) == best
    assert (layer.ops, layer.seed) == (("brightness",), 3)


def test_trials_are_the_fits_that_one_would_write():
    trials = tune(
        num_ops=[2], magnitudes=[9], epochs=3, seed=5, table="fixmatch"
    )

    def accuracy(*layers):
        keras.utils.set_random_seed(5)
        model = build_model()
        whole = keras.Sequential([keras.Input((6, 6, 1)), *layers, model])
        whole.compile(
            model.optimizer,
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        whole.fit(*TRAIN, batch_size=8, epochs=3, verbose=0)
        return whole.evaluate(*VALIDATION, verbose=0)[1]

    layer = RandAugment(2, 9, ops=["brightness"], seed=5, table="fixmatch")
    assert trials.layer().table == "fixmatch"
    assert trials.accuracies == {(0, 0): accuracy(), (2, 9): accuracy(layer)}


def test_layers_among_the_ops_are_new_in_every_trial():
    layer = keras.layers.RandomFlip(seed=1)
    trials = tune(ops=[layer], num_ops=[1])
    assert not layer.built
    assert trials.layer().ops == (layer,)


def test_fewer_trials_than_settings():
    trials = tune(max_trials=2)
    assert len(trials.accuracies) == 2
    assert (0, 0) in trials.accuracies


def test_no_test_data_can_be_passed():
    names = set(inspect.signature(tune_rand_augment).parameters)
    assert names == {
        "build_model", "x", "y", "validation_data", "num_ops", "magnitudes",
        "max_trials", "epochs", "batch_size", "ops", "value_range",
        "directory", "seed", "verbose", "table",
    }  # fmt: skip


def test_validation_labels_choose_but_do_not_train():
    x, y = VALIDATION
    right = tune(num_ops=[1], epochs=3)
    wrong = tune(validation=(x, 1 - y), num_ops=[1], epochs=3)
    for setting, accuracy in right.accuracies.items():
        assert wrong.accuracies[setting] == pytest.approx(1 - accuracy)


def test_by_default_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tune(num_ops=[1], magnitudes=[4])
    assert list(tmp_path.iterdir()) == []


OTHERS = {
    "settings": {"magnitudes": (10,)},
    "epochs": {"epochs": 2},
    "seed": {"seed": 1},
    "ops": {"ops": ["contrast"]},
    "data": {"train": (255 - X[:16], Y[:16])},
    "optimizer": {"build_model": lambda: build_model(rate=0.5)},
}


def test_directory_is_used_again_by_the_same_search_alone(
    tmp_path, monkeypatch
):
    first = tune(directory=tmp_path, max_trials=2)
    # Nothing is trained again, though Keras has counted on.
    monkeypatch.setattr(keras.Model, "fit", None)
    assert tune(directory=tmp_path, max_trials=2) == first
    for name, changed in OTHERS.items():
        match = rf"trials of another search.*differs in .*{name}"
        with pytest.raises(ValueError, match=match):
            tune(directory=tmp_path, **{"max_trials": 2, **changed})
    note = json.loads((tmp_path / "rand_augment" / "search.json").read_text())
    assert note["epochs"] == 1
    assert note["settings"][0] == [0, 0]
    # Also those of somebody else, who left no note.
    (tmp_path / "rand_augment" / "search.json").unlink()
    with pytest.raises(ValueError, match="trials of another search"):
        tune(directory=tmp_path, max_trials=2)


def test_without_keras_tuner(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_tuner", None)
    with pytest.raises(ImportError, match=r"keras-fewlabels\[tune\]"):
        tune()


KEPT = []


def same_model_again():
    if not KEPT:
        KEPT.append(build_model())
    return KEPT[0]


class OwnStep(keras.Sequential):
    def train_step(self, *args):
        return super().train_step(*args)


def own_step():
    model = OwnStep(build_model().layers)
    model.compile("sgd", "mse")
    return model


ERRORS = {
    "not compiled": ({"build_model": lambda: object()}, "that is compiled"),
    "own step": ({"build_model": own_step}, "of class OwnStep"),
    "not new": (
        {"build_model": same_model_again},
        "must start from the same weights",
    ),
    "no accuracy": (
        {"build_model": lambda: build_model(metrics=())},
        r"metrics=\[\"accuracy\"\].*metrics=\['loss'\]",
    ),
    "one trial": ({"max_trials": 1}, "max_trials=1"),
    "no ops": ({"num_ops": ()}, r"one value or more.*num_ops=\(\)"),
    "zero ops": ({"num_ops": (0, 1)}, "none of 0, which is always tried"),
    "negative": ({"magnitudes": (-1,)}, "magnitude=-1"),
    "unknown op": ({"ops": ["twirl"]}, "twirl"),
    "dataset": ({"validation": object()}, "datasets are not taken.*object"),
    "list": ({"train": (list(X), Y)}, "x, y of type list, ndarray"),
    "labels": ({"train": (X, Y[:5])}, "24 images, 5 labels"),
    "empty": ({"validation": (X[:0], Y[:0])}, "0 images, 0 labels"),
    "range": (
        {"train": (X / 255, Y), "value_range": (0, 0.5)},
        r"images in `value_range`",
    ),
    "uint8": ({"value_range": (0, 1)}, "Images of uint8"),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    changed, match = case
    with pytest.raises(ValueError, match=match):
        tune(**changed)


def test_table_and_ties():
    trials = RandAugmentTrials(
        {(0, 0): 0.5, (3, 7): 0.75, (1, 10): 0.75, (1, 2.5): 0.75}
    )
    assert (trials.num_ops, trials.magnitude) == (1, 2.5)
    assert str(trials).splitlines() == [
        "num_ops  magnitude  accuracy in %",
        "      0          0           50.0",
        "      3          7           75.0",
        "      1         10           75.0",
        "      1        2.5           75.0  <- best",
    ]


def test_layer_without_augmentation_passes_images_through():
    images = np.random.default_rng(0).integers(256, size=(4, 6, 6, 1))
    images = images.astype("uint8")
    trials = RandAugmentTrials({(0, 0): 0.5, (1, 9): 0.25})
    output = keras.ops.convert_to_numpy(trials.layer()(images, training=True))
    np.testing.assert_array_equal(output, images)
