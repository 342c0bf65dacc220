import csv
import functools
import sys
import types

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_digits

from keras_fewlabels.data import split_labels
from keras_fewlabels.data.sources.image_source import ImageArray
from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops import Settings, fit_noisy_student
from keras_fewlabels.loops.noisy_student.phases import FittedPhase
from keras_fewlabels.loops.noisy_student.training import (
    run_clock,
    run_progress,
)
from keras_fewlabels.policies import FixedThreshold, FlexMatchPolicy

DIGITS = load_digits()
IMAGES = (DIGITS.images[..., None] * 255 / 16).astype("uint8")
LABELED, UNLABELED, TEST = split_labels(IMAGES, DIGITS.target, 40, 300)
# Two epochs of each phase.
SHORT = {
    "supervised_steps": 6,
    "student_steps": 6,
    "steps_per_epoch": 3,
    "batch_size": 8,
    "unlabeled_ratio": 2,
}
# With residual branches to drop.
DROPPING = {**SHORT, "stochastic_depth": 0.2}


def build_student(width=8, activation="softmax"):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(width, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation=activation),
        ]
    )


def build_residual():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    for number in range(2):
        branch = layers.Conv2D(4, 3, padding="same", name=f"conv{number}")(x)
        x = layers.Add(name=f"add{number}")([x, branch])
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def fit(build=build_student, labeled=LABELED, unlabeled=UNLABELED, **options):
    options = {"verbose": 0, "settings": SHORT, **options}
    return fit_noisy_student(build, labeled, unlabeled, **options)


@functools.cache
def usual_fit():
    """What most tests look at or compare with, trained once."""
    return fit(
        test_data=TEST,
        truth=np.arange(300) % 10,
        class_names=list("abcdefghij"),
    )


@functools.cache
def plain_fit():
    return fit()


@functools.cache
def residual_fit():
    return fit(build_residual, settings=DROPPING)


def assert_same_weights(model, other):
    for weight, same in zip(
        model.get_weights(), other.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, same)


def read_table(folder):
    """Reads the pseudo-labels of a saved report, a dict of columns."""
    with open(folder / "pseudo_labels.csv") as file:
        rows = list(csv.DictReader(file))
    return {
        name: np.array([float(row[name]) for row in rows])
        for name in rows[0]
        if name != "class"
    }


class Recorder(keras.callbacks.Callback):
    """Notes every epoch, and every batch trained."""

    def __init__(self):
        super().__init__()
        self.epochs = []
        self.num_batches = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(epoch)

    def on_train_batch_end(self, batch, logs=None):
        self.num_batches += 1


class Killed(Exception):
    pass


class Kill(Recorder):
    """Ends everything in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1 and self.epochs[-1] == self.epoch:
            raise Killed


def test_a_model_of_the_user_comes_back():
    model, report = usual_fit()
    assert [type(layer) for layer in model.layers] == [
        type(layer) for layer in build_student().layers
    ]
    # Compiled for the labels that were given.
    loss, accuracy = model.evaluate(*TEST, verbose=0)
    test = report.to_dict()["phases"][-1]["test"]
    assert test["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert test["loss"] == pytest.approx(loss, rel=1e-4)
    assert test["num_images"] == len(TEST[1])


def test_report_tells_the_phases_and_the_data():
    _, report = usual_fit()
    details = report.to_dict()
    phases = details["phases"]
    assert [phase["name"] for phase in phases] == [
        "supervised",
        "noisy student",
    ]
    assert [phase["generation"] for phase in phases] == [0, 1]
    assert [phase["steps"] for phase in phases] == [6, 6]
    history = phases[1]["history"]
    assert len(history["loss"]) == 2
    # One validation image per class: the student learns them too.
    assert len(phases[0]["history"]["val_accuracy"]) == 2
    assert phases[0]["validation"]["num_images"] == 10
    assert phases[1]["validation"] is None
    assert {"mask_ratio", "pseudo_label_accuracy"} <= set(history)
    first, last = (phase["seconds_since_start"] for phase in phases)
    assert phases[0]["seconds"] <= first < last <= details["seconds"]
    assert details["examined"]["calibration"]["accuracy"] == pytest.approx(
        phases[-1]["test"]["accuracy"]
    )
    data = details["data"]
    assert data["num_labeled"] + data["num_validation"] == len(LABELED[1])
    assert data["num_unlabeled"] == 300
    assert data["num_test"] == len(TEST[1])
    assert sum(data["class_counts"]) == data["num_labeled"]
    assert data["value_range"] == [0, 255]
    assert data["class_names"] == list("abcdefghij")
    assert "noisy student" in str(report)


def test_report_shows_where_the_model_is_wrong(tmp_path):
    model, report = usual_fit()
    examined = report.to_dict()["examined"]
    assert examined["split"] == "test"
    predicted = model.predict(TEST[0], verbose=0).argmax(axis=1)
    assert np.trace(examined["confusion"]) == np.sum(predicted == TEST[1])
    report.save(tmp_path)
    assert_same_weights(
        keras.saving.load_model(tmp_path / "model.keras"), model
    )
    table = read_table(tmp_path)
    assert table["index"].tolist() == list(range(300))
    predicted = model.predict(UNLABELED, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(table["label"], predicted)


def test_test_images_and_truth_change_nothing():
    assert_same_weights(usual_fit()[0], plain_fit()[0])


def test_another_seed_gives_another_model():
    model, report = fit(seed=1)
    first, second = (m.get_weights()[0] for m in (usual_fit()[0], model))
    assert not np.array_equal(first, second)
    assert report.to_dict()["seed"] == 1


def test_without_pseudo_labels_only_the_labels_teach():
    # No teacher is that sure: the unlabelled images weigh nothing.
    settings = {**SHORT, "threshold": 0.999999, "unlabeled_weight": 1.0}
    ignored = {**settings, "unlabeled_weight": 0.0}
    sure = fit(build_sure_of_nothing, settings=settings)[0]
    assert_same_weights(sure, fit(build_sure_of_nothing, settings=ignored)[0])


def build_sure_of_nothing():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(10, kernel_initializer="zeros", activation="softmax"),
        ]
    )


def test_generations_may_grow():
    built = []

    def build(generation):
        built.append(generation)
        return build_student(width=4 + 4 * generation)

    model, _ = fit(build, generations=2)
    assert set(built) == {0, 1, 2}
    assert model.get_weights()[0].shape[-1] == 12


def test_a_frozen_teacher_starts_a_new_student():
    # Nothing is learned without a learning rate, so only the start differs.
    settings = {**SHORT, "learning_rate": 1e-12, "weight_decay": 0.0}
    goes_on, _ = fit(build_residual, settings=settings)
    anew, _ = fit(build_residual, settings={**settings, "teacher": "frozen"})
    keras.utils.set_random_seed(0)
    first = build_residual().get_weights()
    keras.utils.set_random_seed(1)
    second = build_residual().get_weights()
    np.testing.assert_allclose(goes_on.get_weights()[0], first[0], atol=1e-6)
    np.testing.assert_allclose(anew.get_weights()[0], second[0], atol=1e-6)


def test_stochastic_depth_is_not_in_the_result():
    model, report = residual_fit()
    assert report.to_dict()["settings"]["stochastic_depth"] == 0.2
    assert [type(layer) for layer in model.layers] == [
        type(layer) for layer in build_residual().layers
    ]


def build_of_any_size():
    return keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )


def test_high_resolution_comes_last_and_resumes(tmp_path):
    settings = {**SHORT, "low_resolution": 0.75, "high_resolution_steps": 6}
    expected, report = fit(build_of_any_size, settings=settings)
    *_, last = report.to_dict()["phases"]
    assert (last["name"], last["steps"]) == ("high resolution", 6)
    assert expected.input_shape == (None, None, None, 1)
    options = {"settings": settings, "backup_dir": tmp_path}
    with pytest.raises(Killed):
        fit(build_of_any_size, callbacks=[Kill(5)], **options)
    recorder = Recorder()
    model, _ = fit(build_of_any_size, callbacks=[recorder], **options)
    assert recorder.epochs == [5]
    assert_same_weights(model, expected)


def test_baseline_and_waterfall_train_as_many_steps():
    recorder = Recorder()
    _, report = fit(
        build_residual,
        settings=DROPPING,
        baseline=True,
        waterfall=True,
        callbacks=[recorder],
    )
    details = report.to_dict()
    assert details["baseline"]["steps"] == 12
    # All labels are learned, and there are no test images to judge by.
    assert details["verdict"] is None
    assert [step["name"] for step in details["waterfall"]] == [
        "labels only",
        "+ augmentation",
        "+ pseudo-labels",
        "+ model noise",
    ]
    # The fit, baseline, and three models with less.
    assert recorder.num_batches == 5 * 12
    last = details["phases"][-1]["validation"]
    assert details["waterfall"][-1]["validation"] == last


def test_compiled_model_keeps_its_optimizer_and_loss():
    def build():
        model = build_student(activation=None)
        model.compile(
            keras.optimizers.SGD(1e-9),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        return model

    model, report = fit(build)
    keras.utils.set_random_seed(0)
    start = build_student(activation=None)
    np.testing.assert_allclose(
        model.get_weights()[0], start.get_weights()[0], atol=1e-6
    )
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert "not used" in report.to_dict()["why"]["learning_rate"]


def test_one_hot_labels_and_validation_data():
    one_hot = keras.utils.to_categorical(LABELED[1], 10)
    validation = TEST[0][:20], keras.utils.to_categorical(TEST[1][:20], 10)
    model, report = fit(
        labeled=(LABELED[0], one_hot), validation_data=validation
    )
    details = report.to_dict()
    assert details["data"]["num_labeled"] == len(one_hot)
    assert details["phases"][0]["validation"]["num_images"] == 20
    assert np.isfinite(model.evaluate(*validation, verbose=0)[0])


@pytest.mark.tensorflow
def test_unlabeled_images_may_be_a_stream():
    import tensorflow as tf

    stream = tf.data.Dataset.from_tensor_slices(UNLABELED).batch(50)
    labeled = tf.data.Dataset.from_tensor_slices(LABELED).batch(7)
    _, report = fit(labeled=labeled, unlabeled=stream)
    details = report.to_dict()
    assert details["data"]["num_unlabeled"] == 300
    # One pass over 300 images, 16 at a time.
    assert details["phases"][1]["steps"] == 19


def test_layers_of_the_user_take_the_place_of_the_settings():
    class Counted(layers.Layer):
        calls = 0

        def call(self, images, training=None):
            type(self).calls += 1
            return images

    noise, weak_noise = Counted(), RandAugment(1, 1)
    policy = FixedThreshold(0.0)
    _, report = fit(noise=noise, weak_noise=weak_noise, policy=policy)
    history = report.to_dict()["phases"][1]["history"]
    assert Counted.calls > 0
    # Every image counts.
    assert history["mask_ratio"] == [1.0, 1.0]


def test_callbacks_see_each_phase_as_a_fit(tmp_path):
    recorder = Recorder()
    fit(
        callbacks=lambda phase: [
            keras.callbacks.CSVLogger(tmp_path / f"{phase}.csv"),
            recorder,
        ]
    )
    # Counted through all phases.
    assert recorder.epochs == [0, 1, 2, 3]
    files = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert set(files) == {"supervised.csv", "noisy student 1.csv"}
    assert "mask_ratio" in files["noisy student 1.csv"].splitlines()[0]


# In the middle of the first phase, and in the first epoch of the second.
@pytest.mark.parametrize("epoch", [1, 2])
def test_killed_run_ends_as_the_other(tmp_path, epoch):
    with pytest.raises(Killed):
        fit(
            build_residual,
            settings=DROPPING,
            backup_dir=tmp_path,
            callbacks=[Kill(epoch)],
        )
    recorder = Recorder()
    model, report = fit(
        build_residual,
        settings=DROPPING,
        backup_dir=tmp_path,
        callbacks=[recorder],
    )
    expected, expected_report = residual_fit()
    assert recorder.epochs == list(range(epoch, 4))
    assert_same_weights(model, expected)
    for phase, other in zip(
        report.to_dict()["phases"],
        expected_report.to_dict()["phases"],
        strict=True,
    ):
        assert phase["history"] == other["history"]
        assert phase["pseudo_labels"] == other["pseudo_labels"]


def test_finished_run_is_not_trained_again(tmp_path):
    fit(backup_dir=tmp_path)
    recorder = Recorder()
    again, _ = fit(backup_dir=tmp_path, callbacks=[recorder])
    assert recorder.num_batches == 0
    assert_same_weights(again, usual_fit()[0])
    with pytest.raises(ValueError, match="the backup of a run with other"):
        fit(backup_dir=tmp_path, seed=1)


class FakeTime(keras.callbacks.Callback):
    """A clock on which nothing but the steps of phases takes time."""

    def __init__(self, monkeypatch):
        super().__init__()
        self.now = 0.0
        for module in (run_clock, run_progress):
            monkeypatch.setattr(module, "time", self)
        loop = sys.modules[fit_noisy_student.__module__]
        monkeypatch.setattr(loop, "time", self)
        monkeypatch.setattr(FittedPhase, "num_measured", lambda *_: 0)

    def perf_counter(self):
        return self.now

    monotonic = perf_counter

    def callbacks(self, title):
        # As long as the images of a step take by the rule for costs.
        seconds = 3.0 if title == "supervised" else 11.0

        def pass_time(batch, logs):
            self.now += seconds

        return [keras.callbacks.LambdaCallback(on_train_batch_end=pass_time)]


TIMED = {**SHORT, "supervised_steps": 20, "student_steps": 20}
TIMED = {**TIMED, "steps_per_epoch": 5, "train_on_validation": False}


def test_phases_of_a_new_model_are_cut_in_proportion(tmp_path, monkeypatch):
    # All steps would take 20 * 3 + 20 * 11 seconds.
    options = {"settings": TIMED, "test_data": TEST, "time_limit": 143}
    clock = FakeTime(monkeypatch)
    expected, report = fit(callbacks=clock.callbacks, **options)
    details = report.to_dict()
    assert [phase["steps"] for phase in details["phases"]] == [11, 10]
    assert clock.now <= 143
    assert details["time_limit"] == 143
    assert [each["name"] for each in details["left_out"]] == [
        "9 of 20 steps of supervised",
        "10 of 20 steps of noisy student 1",
    ]
    # The report is that of the model that is returned.
    accuracy = expected.evaluate(*TEST, verbose=0)[1]
    assert details["phases"][-1]["test"]["accuracy"] == pytest.approx(accuracy)

    def killed(title):
        kill = [Kill(3)] if title != "supervised" else []
        return [*clock.callbacks(title), *kill]

    clock.now = 0.0
    options["backup_dir"] = tmp_path
    with pytest.raises(Killed):
        fit(callbacks=killed, **options)
    # With all the time that there is, it goes on as it was planned.
    resumed, report = fit(callbacks=clock.callbacks, **options)
    assert_same_weights(resumed, expected)
    assert report.to_dict()["left_out"] == details["left_out"]


@pytest.mark.parametrize(
    "limit, expected", [(None, 3600), (float("inf"), None), (1e6, 1e6)]
)
def test_the_limit_of_a_new_model_on_a_cpu(limit, expected, monkeypatch):
    loop = sys.modules[fit_noisy_student.__module__]
    monkeypatch.setattr(loop, "has_accelerator", lambda: False)
    settings = types.SimpleNamespace(pretrained=False)
    assert loop._seconds(limit, settings) == expected
    monkeypatch.setattr(loop, "has_accelerator", lambda: True)
    assert loop._seconds(None, settings) is None
    # One that comes trained has its limit on any device.
    assert loop._seconds(None, types.SimpleNamespace(pretrained=True)) == 600


def test_supervised_phase_ends_when_validation_has_settled():
    # The loss cannot fall, because nothing is learned.
    settings = {
        **SHORT,
        "supervised_steps": 60,
        "learning_rate": 1e-12,
        "patience": 2,
    }
    _, report = fit(build_sure_of_nothing, settings=settings)
    assert report.to_dict()["phases"][0]["epochs"] == 3


class KeepPolicy(keras.callbacks.Callback):
    """Keeps the thresholds of FlexMatch at the end of each phase."""

    def __init__(self):
        super().__init__()
        self.thresholds = None

    def on_train_end(self, logs=None):
        policy = getattr(self.model, "policy", None)
        if policy is not None:
            self.thresholds = np.array(
                keras.ops.convert_to_numpy(policy.thresholds())
            )


@functools.cache
def usual_flex_match_fit():
    return flex_match_fit()


def flex_match_fit(**options):
    policy = FlexMatchPolicy(0.3, num_unlabeled=300)
    truth = np.arange(300) % 10
    settings = {**SHORT, "steps_per_epoch": 20, "student_steps": 40}
    keep = KeepPolicy()
    callbacks = [keep, *options.pop("callbacks", ())]
    model, report = fit(
        policy=policy,
        truth=truth,
        settings=settings,
        callbacks=callbacks,
        **options,
    )
    return model, report, keep.thresholds, truth


def test_report_says_what_the_policy_says_that_trained(tmp_path):
    model, report, thresholds, truth = usual_flex_match_fit()
    # As in the paper, from predictions and the thresholds of each class.
    probabilities = model.predict(UNLABELED, verbose=0)
    labels, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    counts = confidence >= thresholds[labels]
    # No single threshold gives the same images.
    assert len(set(thresholds)) > 2 and 0 < counts.sum() < 300
    assert counts.sum() != np.sum(confidence >= 0.3)
    assert counts.sum() != np.sum(confidence >= 0.6)
    supervised, student = report.to_dict()["phases"]
    # No policy has a say in the supervised phase.
    assert supervised["pseudo_labels"] is None
    shares = np.bincount(labels[counts], minlength=10) / counts.sum()
    assert student["pseudo_labels"] == {
        "mask_ratio": pytest.approx(counts.mean()),
        "confidence": pytest.approx(confidence.mean(), rel=1e-5),
        "class_shares": pytest.approx(shares, abs=1e-6),
        "accuracy": pytest.approx(np.mean(labels[counts] == truth[counts])),
    }
    report.save(tmp_path)
    table = read_table(tmp_path)
    np.testing.assert_array_equal(table["label"], labels)
    np.testing.assert_array_equal(table["target"], labels)
    np.testing.assert_array_equal(table["weight"], counts)
    np.testing.assert_array_equal(table["counts"], counts)
    why = report.to_dict()["why"]
    assert why["threshold"] == "not used: `policy` takes its place"


def test_a_resumed_run_has_the_same_figures(tmp_path):
    expected = usual_flex_match_fit()[1]
    expected.save(tmp_path / "expected")
    backup = tmp_path / "backup"
    with pytest.raises(Killed):
        flex_match_fit(backup_dir=backup, callbacks=[Kill(2)])
    # Resumed in the middle of a phase, and then when all is finished.
    for name in ("resumed", "finished"):
        _, report, *_ = flex_match_fit(backup_dir=backup)
        report.save(tmp_path / name)
        ours, theirs = (r.to_dict()["phases"] for r in (report, expected))
        assert ours[-1]["pseudo_labels"] == theirs[-1]["pseudo_labels"]
        assert ours[-1]["history"] == theirs[-1]["history"]
        table, same = (
            (tmp_path / folder / "pseudo_labels.csv").read_text()
            for folder in (name, "expected")
        )
        assert table == same


def test_the_pool_is_labelled_when_the_report_is_saved(tmp_path, monkeypatch):
    numbers = []
    pieces = ImageArray.pieces

    def count(self, size):
        numbers.append(len(self))
        return pieces(self, size)

    _, report = plain_fit()
    monkeypatch.setattr(ImageArray, "pieces", count)
    report.save(tmp_path)
    assert numbers == [300]


def test_settings_that_a_layer_replaces_are_named_in_the_report():
    _, report = fit(
        noise=layers.RandomFlip(seed=0), weak_noise=layers.Identity()
    )
    why = report.to_dict()["why"]
    for name in ("ops", "num_ops", "magnitude", "table", "cutout"):
        assert why[name] == "not used: `noise` takes its place"
    for name in ("flip", "fill_value"):
        assert why[name].startswith("not used: `noise` and `weak_noise`")
    assert "not used" not in why["threshold"]


def test_settings_of_a_report_are_those_of_the_next_run():
    settings = usual_fit()[1].to_dict()["settings"]
    model, report = fit(settings=settings)
    assert_same_weights(model, usual_fit()[0])
    assert report.to_dict()["settings"] == settings
    assert Settings.from_dict(settings).to_dict() == settings


BAD_ARGUMENTS = {
    "students that cannot be built": (
        {"build": 3},
        "`build_student` must be a function",
    ),
    "a function without a model": (
        {"build": lambda: None},
        "must return a built Keras model",
    ),
    "a model that is not built": (
        {"build": lambda: keras.Sequential([layers.Dense(3)])},
        "student must be built",
    ),
    "images of another size": (
        {"labeled": (IMAGES[:40, :6], LABELED[1])},
        "same height, width",
    ),
    "a model for other images": (
        {"build": lambda: _flat_model((9, 9, 1))},
        "The model must take the images as they are",
    ),
    "a label outside the classes": (
        {"labeled": (LABELED[0], LABELED[1] + 1)},
        "class numbers from 0 to 9",
    ),
    "a class without a label": (
        {"labeled": (LABELED[0], LABELED[1] % 9)},
        "none of class 9",
    ),
    "one image of a class": (
        {"labeled": (LABELED[0][:20], np.r_[np.arange(10), np.arange(9), 0])},
        "each class needs two of them.*of class 9",
    ),
    "unlabelled images with labels": (
        {"unlabeled": (UNLABELED, np.zeros(300))},
        "`unlabeled` must be images alone",
    ),
    "labels alone": ({"labeled": LABELED[0]}, r"must be a pair \(images"),
    "an unknown setting": ({"settings": {"epochs": 3}}, "Received: epochs"),
    "an impossible setting": (
        {"settings": {"batch_size": 0}},
        "`batch_size` must be an int, 1 or more",
    ),
    "a setting whose place a layer takes": (
        {
            "settings": {**SHORT, "magnitude": 3},
            "noise": layers.GaussianNoise(0.1),
        },
        "'magnitude' would have no effect",
    ),
    "a threshold beside a policy": (
        {
            "settings": {**SHORT, "threshold": 0.6},
            "policy": FixedThreshold(0.9),
        },
        "'threshold' would have no effect: `policy`",
    ),
    "a learning rate beside an optimizer": (
        {
            "settings": {**SHORT, "learning_rate": 0.5},
            "build": lambda: compiled_student(),
        },
        "'learning_rate' would have no effect: the model is compiled",
    ),
    "test images of another type": (
        {"test_data": (TEST[0].astype("float32"), TEST[1])},
        "`test_data` must hold images like the labelled ones",
    ),
    "truth of another length": ({"truth": np.zeros(3)}, "`truth` must have"),
    "no generations": ({"generations": 0}, "`generations` must be"),
    "images scaled twice": (
        {
            "labeled": (LABELED[0] / 255.0, LABELED[1]),
            "unlabeled": UNLABELED / 255.0,
        },
        "they are scaled already",
    ),
    "an unknown range": (
        {
            "labeled": (LABELED[0] * 9.0, LABELED[1]),
            "unlabeled": UNLABELED * 9.0,
        },
        "do not tell what is black",
    ),
    "logits for a loss of probabilities": (
        {"build": lambda: _compiled_for_probabilities()},
        "activation='softmax'",
    ),
}


def _flat_model(shape):
    return keras.Sequential(
        [keras.Input(shape), layers.Flatten(), layers.Dense(10, "softmax")]
    )


def compiled_student():
    model = build_student()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def _compiled_for_probabilities():
    model = build_student(activation=None)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments_are_refused_before_training(case, tmp_path):
    arguments, message = BAD_ARGUMENTS[case]
    recorder = Recorder()
    folder = tmp_path / "backup"
    with pytest.raises(ValueError, match=message):
        fit(callbacks=[recorder], backup_dir=folder, **arguments)
    assert recorder.num_batches == 0
    assert not folder.exists()


def test_unwritable_backup_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OSError, match="`backup_dir` must be a folder"):
        fit(backup_dir=file)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts = [layers.Flatten(), layers.Dense(10)]

    def call(self, images, training=None):
        for part in self.parts:
            images = part(images)
        return images


def test_subclassed_models():
    def build():
        model = Subclassed()
        model(np.zeros((2, 8, 8, 1)))
        return model

    model, report = fit(build)
    assert isinstance(model, Subclassed)
    assert len(report.to_dict()["phases"]) == 2
