import collections
import inspect
import json

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops import tune_rand_augment
from keras_fewlabels.loops.tuning.augmented_training import AugmentedTraining
from keras_fewlabels.loops.tuning.tune_rand_augment import rand_augment_settings

pytestmark = pytest.mark.usefixtures("eager")

DRAWN = np.random.default_rng(0)
X = DRAWN.integers(256, size=(24, 6, 6, 1)).astype("uint8")
Y = np.arange(24) % 2
# What can be learned: the upper half of class 1 is bright.
X[Y == 1, :3] //= 4
X[Y == 1, :3] += 190
TRAIN, VALIDATION = (X[:16], Y[:16]), (X[16:], Y[16:])


def build_model(rate=0.01, metrics=("accuracy",), scale=1 / 255):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Rescaling(scale),
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
    settings |= {"ops": ["brightness"], "batch_size": 8, "verbose": 0, **kwargs}
    return tune_rand_augment(build_model, train, validation, **settings)


def test_tries_the_whole_grid_and_makes_the_best_layer(graphs):
    trials = tune()
    assert list(trials.accuracies) == [(0, 0), (1, 9), (2, 9)]
    assert all(0 <= a <= 1 for a in trials.accuracies.values())
    best = trials.suggestion
    assert trials.accuracies[best] == max(trials.accuracies.values())
    layer = trials.layer(seed=3)
    assert isinstance(layer, RandAugment)
    assert (layer.num_ops, layer.magnitude) == best
    assert (layer.ops, layer.seed) == (("brightness",), 3)


def test_trials_are_the_fits_that_one_would_write(graphs):
    trials = tune(num_ops=[2], magnitudes=[9], epochs=3, seed=5)

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
        "build_model", "labeled", "validation_data", "num_ops", "magnitudes",
        "table", "ops", "value_range", "max_trials", "epochs", "batch_size",
        "backup_dir", "seed", "verbose",
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


def test_a_folder_is_used_again_by_the_same_search_alone(tmp_path, monkeypatch):
    first = tune(backup_dir=tmp_path, max_trials=2)
    # Nothing is trained again, though Keras has counted on.
    monkeypatch.setattr(keras.Model, "fit", None)
    assert tune(backup_dir=tmp_path, max_trials=2) == first
    for name, changed in OTHERS.items():
        match = rf"trials of another search.*differs in .*{name}"
        with pytest.raises(ValueError, match=match):
            tune(backup_dir=tmp_path, **{"max_trials": 2, **changed})
    file = tmp_path / "rand_augment.json"
    content = json.loads(file.read_text())
    assert content["search"]["epochs"] == 1
    assert content["search"]["settings"][0] == [0, 0]
    assert content["accuracies"] == list(first.accuracies.values())
    # Also a file of something else.
    for other in ("[1]", "{}"):
        file.write_text(other)
        with pytest.raises(ValueError, match="trials of another search"):
            tune(backup_dir=tmp_path, max_trials=2)


def test_a_search_that_was_stopped_resumes(tmp_path, monkeypatch):
    tried = []

    def measure_accuracy(self, num_ops, magnitude):
        tried.append((num_ops, magnitude))
        if len(tried) == 3:
            raise KeyboardInterrupt
        return num_ops / 10

    monkeypatch.setattr(AugmentedTraining, "measure_accuracy", measure_accuracy)
    search = {"num_ops": (1, 2, 3), "magnitudes": (4,), "backup_dir": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        tune(**search)
    trials = tune(**search)
    # The third trial, which was cut off, is repeated.
    assert tried == [(0, 0), (1, 4), (2, 4), (2, 4), (3, 4)]
    assert trials.accuracies == {
        (0, 0): 0.0,
        (1, 4): 0.1,
        (2, 4): 0.2,
        (3, 4): 0.3,
    }
    assert tune(**search) == trials
    assert len(tried) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["rand_augment.json"]


def test_errors_of_a_trial_pass_through(monkeypatch):
    def measure_accuracy(self, num_ops, magnitude):
        raise ZeroDivisionError("in a trial")

    monkeypatch.setattr(AugmentedTraining, "measure_accuracy", measure_accuracy)
    with pytest.raises(ZeroDivisionError, match="in a trial"):
        tune()


def test_floats_without_value_range_are_those_of_the_narrowest_range():
    in_bytes = tune(num_ops=[1])
    scaled = tune(
        train=((X[:16] / 255).astype("float32"), Y[:16]),
        validation=((X[16:] / 255).astype("float32"), Y[16:]),
        build_model=lambda: build_model(scale=1.0),
        num_ops=[1],
    )
    assert in_bytes.options["value_range"] == (0, 255)
    assert scaled.options["value_range"] == (0, 1)
    assert scaled.accuracies == in_bytes.accuracies


def test_progress_is_shown_on_demand(capsys):
    tune(num_ops=[1])
    assert capsys.readouterr().out == ""
    tune(num_ops=[1], verbose="auto")
    assert "2/2" in capsys.readouterr().out


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
    "zero ops": ({"num_ops": (0, 1)}, "without 0, which is always tried"),
    "negative": ({"magnitudes": (-1,)}, "magnitude=-1"),
    "unknown op": ({"ops": ["twirl"]}, "twirl"),
    "no data": (
        {"validation": object()},
        r"`validation_data` must be a pair \(images, labels\).*object",
    ),
    "labels": ({"train": (X, Y[:5])}, "5 labels for 24 images"),
    "empty": (
        {"validation": (X[:0], Y[:0])},
        "`validation_data` must hold at least one image",
    ),
    "range": (
        {"train": (X / 255, Y), "value_range": (0, 0.5)},
        r"`labeled` must lie in the value range \(0, 0.5\)",
    ),
    "uint8": ({"value_range": (0, 1)}, r"must lie in the value range \(0, 1\)"),
    "other range": (
        {"validation": (X / 255, Y)},
        r"`validation_data` should fill the value range \(0, 255\)",
    ),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    changed, match = case
    with pytest.raises(ValueError, match=match):
        tune(**changed)


GRID = [(1, 4), (1, 9), (3, 4), (3, 9)]


def draw_settings(max_trials, seed=0):
    return rand_augment_settings((1, 3), (4, 9), max_trials, seed)


@pytest.mark.parametrize("max_trials", [5, 6, 100])
def test_whole_grid_after_no_augmentation(max_trials):
    assert draw_settings(max_trials) == [(0, 0), *GRID]


def test_equal_values_are_one():
    assert rand_augment_settings((1, 1), (4, 4.0), 9, 0) == [(0, 0), (1, 4)]


def test_fewer_trials_draw_each_setting_equally_often():
    drawn = [draw_settings(3, seed) for seed in range(400)]
    assert drawn[7] == draw_settings(3, seed=7)
    counts = collections.Counter(pair for draw in drawn for pair in draw)
    assert counts.pop((0, 0)) == 400
    assert set(counts) == set(GRID)
    assert all(count == pytest.approx(200, abs=40) for count in counts.values())


WRONG_SETTINGS = {
    "one trial": (((1,), (4,), 1, 0), "max_trials=1"),
    "half": (((1,), (4,), 2.5, 0), r"max_trials=2\.5"),
    "no ops": (((), (4,), 9, 0), r"one value or more.*num_ops=\(\)"),
    "no magnitude": (((1,), (), 9, 0), r"magnitudes=\(\)"),
    "zero": (((0, 1), (4,), 9, 0), r"without 0, which is always tried"),
}


@pytest.mark.parametrize("case", WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_wrong_settings(case):
    with pytest.raises(ValueError, match=case[1]):
        rand_augment_settings(*case[0])
