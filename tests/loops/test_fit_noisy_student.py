import csv
import shutil
import sys
import types

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_digits

from keras_fewlabels.data import split_labels
from keras_fewlabels.data.sources.image_source import ImageArray
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
TRUTH = np.arange(300) % 10
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


def build_student(activation="softmax"):
    """A student with all that a backup and a copy must keep."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(8, 3)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Add()([x, layers.Conv2D(8, 3, padding="same")(x)])
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(10, activation=activation)(x))


def build_simple(width=8, activation="softmax"):
    """A student whose training is traced quickly."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(width, activation="relu"),
            layers.Dense(10, activation=activation),
        ]
    )


def build_residual():
    inputs = keras.Input((8, 8, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Add()([x, layers.Conv2D(1, 3, padding="same")(x)])
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def fit(build=build_student, labeled=LABELED, unlabeled=UNLABELED, **options):
    options = {"verbose": 0, "settings": SHORT, **options}
    return fit_noisy_student(build, labeled, unlabeled, **options)


def quick_fit(build=build_simple, **options):
    """Fits with noise that is traced quickly, where it is not the subject."""
    noise, weak_noise = layers.RandomFlip(seed=0), layers.Identity()
    options = {"noise": noise, "weak_noise": weak_noise, **options}
    return fit(build, **options)


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


class CopyBackup(Recorder):
    """Copies the backup in the middle of an epoch, as a kill would leave it.

    Args:
        folder: Path of the backup. The copies lie beside it, each named after
            its epoch.
        epochs: The epochs in which it is copied.
    """

    def __init__(self, folder, epochs):
        super().__init__()
        self.folder, self.copied_in = folder, epochs

    def on_train_batch_end(self, batch, logs=None):
        epoch = self.epochs[-1]
        if batch == 1 and epoch in self.copied_in:
            shutil.copytree(self.folder, self.folder.with_name(str(epoch)))


@pytest.fixture(scope="module")
def usual():
    """The run that most tests look at or compare with."""
    return fit(
        test_data=TEST,
        truth=TRUTH,
        class_names=list("abcdefghij"),
    )


class Again:
    """The usual run once more, by the settings of its report.

    It has a backup and callbacks, and neither test images nor truth.
    """

    def __init__(self, usual, folder):
        self.recorder, self.logs = Recorder(), folder / "logs"
        self.logs.mkdir()
        # A step that counts the right pseudo-labels is another program to
        # XLA, whose quick compiler then rounds the last bit otherwise. So JAX
        # counts them here as well. The other backends show that truth
        # changes nothing.
        on_jax = keras.backend.backend() == "jax"
        self.model, self.report = fit(
            truth=TRUTH if on_jax else None,
            settings=usual[1].to_dict()["settings"],
            callbacks=self.callbacks,
            backup_dir=folder / "backup",
        )

    def callbacks(self, phase):
        logger = keras.callbacks.CSVLogger(self.logs / f"{phase}.csv")
        return [logger, self.recorder]


@pytest.fixture(scope="module")
def again(usual, tmp_path_factory):
    return Again(usual, tmp_path_factory.mktemp("again"))


def test_a_model_of_the_user_comes_back(usual):
    model, report = usual
    assert [type(layer) for layer in model.layers] == [
        type(layer) for layer in build_student().layers
    ]
    # Compiled for the labels that were given.
    loss, accuracy = model.evaluate(*TEST, verbose=0)
    test = report.to_dict()["phases"][-1]["test"]
    assert test["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert test["loss"] == pytest.approx(loss, rel=1e-4)
    assert test["num_images"] == len(TEST[1])


def test_report_tells_the_phases_and_the_data(usual):
    details = usual[1].to_dict()
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
    assert "noisy student" in str(usual[1])


def test_report_shows_where_the_model_is_wrong(usual):
    model, report = usual
    examined = report.to_dict()["examined"]
    assert examined["split"] == "test"
    predicted = model.predict(TEST[0], verbose=0).argmax(axis=1)
    assert np.trace(examined["confusion"]) == np.sum(predicted == TEST[1])


def test_test_images_truth_callbacks_and_a_backup_change_nothing(usual, again):
    assert_same_weights(again.model, usual[0])


def test_settings_of_a_report_are_those_of_the_next_run(usual, again):
    settings = usual[1].to_dict()["settings"]
    assert again.report.to_dict()["settings"] == settings
    assert Settings.from_dict(settings).to_dict() == settings


def test_callbacks_see_each_phase_as_a_fit(again):
    # Counted through all phases.
    assert again.recorder.epochs == [0, 1, 2, 3]
    files = {file.name: file.read_text() for file in again.logs.iterdir()}
    assert set(files) == {"supervised.csv", "noisy student 1.csv"}
    assert "mask_ratio" in files["noisy student 1.csv"].splitlines()[0]


def test_the_pool_is_labelled_when_the_report_is_saved(
    again, tmp_path, monkeypatch
):
    numbers = []
    pieces = ImageArray.pieces

    def count(self, size):
        numbers.append(len(self))
        return pieces(self, size)

    monkeypatch.setattr(ImageArray, "pieces", count)
    again.report.save(tmp_path)
    assert numbers == [300]
    assert_same_weights(
        keras.saving.load_model(tmp_path / "model.keras"), again.model
    )
    table = read_table(tmp_path)
    assert table["index"].tolist() == list(range(300))
    predicted = again.model.predict(UNLABELED, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(table["label"], predicted)


def test_without_pseudo_labels_only_the_labels_teach():
    # No teacher is that sure: the unlabelled images weigh nothing.
    settings = {**SHORT, "threshold": 0.999999, "unlabeled_weight": 1.0}
    ignored = {**settings, "unlabeled_weight": 0.0}
    model, other = (
        quick_fit(build_sure_of_nothing, settings=each)[0]
        for each in (settings, ignored)
    )
    assert_same_weights(model, other)


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
        return build_simple(width=4 + 4 * generation)

    model, _ = quick_fit(build, generations=2)
    assert set(built) == {0, 1, 2}
    assert model.get_weights()[0].shape[-1] == 12


def starting_weights(seed, **arguments):
    """Returns the first weights of a new student of `build_simple`."""
    keras.utils.set_random_seed(seed)
    return build_simple(**arguments).get_weights()[0]


def test_a_frozen_teacher_starts_a_new_student():
    # Nothing is learned without a learning rate, so only the start differs.
    rate = {"learning_rate": 1e-12, "weight_decay": 0.0}
    model, _ = quick_fit(settings={**SHORT, **rate, "teacher": "frozen"})
    # The seed is that of the run and the generation.
    np.testing.assert_allclose(
        model.get_weights()[0], starting_weights(seed=1), atol=1e-6
    )


@pytest.fixture(scope="module")
def learns_nothing():
    """A run of another seed, of a model whose learning rate is too low."""

    def build():
        model = build_simple(activation=None)
        model.compile(
            keras.optimizers.SGD(1e-9),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        return model

    return quick_fit(build, seed=1)


def test_compiled_model_keeps_its_optimizer_and_loss(learns_nothing):
    model, report = learns_nothing
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-9)
    assert "not used" in report.to_dict()["why"]["learning_rate"]


def test_a_student_goes_on_from_the_weights_that_the_seed_gave(learns_nothing):
    model, report = learns_nothing
    assert report.to_dict()["seed"] == 1
    start, other = (starting_weights(seed, activation=None) for seed in (1, 0))
    np.testing.assert_allclose(model.get_weights()[0], start, atol=1e-6)
    assert not np.allclose(start, other, atol=1e-2)


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
    options = {"build": build_of_any_size, "settings": settings}
    backup = tmp_path / "backup"
    expected, report = quick_fit(
        backup_dir=backup, callbacks=[CopyBackup(backup, epochs=[5])], **options
    )
    *_, last = report.to_dict()["phases"]
    assert (last["name"], last["steps"]) == ("high resolution", 6)
    assert expected.input_shape == (None, None, None, 1)
    recorder = Recorder()
    model, _ = quick_fit(
        backup_dir=tmp_path / "5", callbacks=[recorder], **options
    )
    assert recorder.epochs == [5]
    assert_same_weights(model, expected)


def test_baseline_and_waterfall_train_as_many_steps():
    recorder = Recorder()
    _, report = quick_fit(
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


def test_one_hot_labels_and_validation_data():
    one_hot = keras.utils.to_categorical(LABELED[1], 10)
    validation = TEST[0][:20], keras.utils.to_categorical(TEST[1][:20], 10)
    model, report = quick_fit(
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
    _, report = quick_fit(labeled=labeled, unlabeled=stream)
    details = report.to_dict()
    assert details["data"]["num_unlabeled"] == 300
    # One pass over 300 images, 16 at a time.
    assert details["phases"][1]["steps"] == 19


def test_layers_of_the_user_take_the_place_of_the_settings():
    class Noise(layers.Layer):
        calls = 0

        def call(self, images, training=None):
            type(self).calls += 1
            return images

    class WeakNoise(Noise):
        calls = 0

    _, report = fit(
        build_simple,
        noise=Noise(),
        weak_noise=WeakNoise(),
        policy=FixedThreshold(0.0),
    )
    assert Noise.calls > 0 and WeakNoise.calls > 0
    details = report.to_dict()
    # Every image counts.
    assert details["phases"][1]["history"]["mask_ratio"] == [1.0, 1.0]
    why = details["why"]
    for name in ("ops", "num_ops", "magnitude", "table", "cutout"):
        assert why[name] == "not used: `noise` takes its place"
    for name in ("flip", "fill_value"):
        assert why[name].startswith("not used: `noise` and `weak_noise`")
    for name in ("threshold", "temperature"):
        assert why[name] == "not used: `policy` takes its place"


def test_without_such_layers_all_settings_of_a_new_model_are_used(usual):
    why = usual[1].to_dict()["why"]
    # Only a model that comes trained has rounds.
    assert [name for name in why if "not used" in why[name]] == ["rounds"]


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
    expected, report = quick_fit(callbacks=clock.callbacks, **options)
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
        quick_fit(callbacks=killed, **options)
    # With all the time that there is, it goes on as it was planned.
    resumed, report = quick_fit(callbacks=clock.callbacks, **options)
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
    _, report = quick_fit(build_sure_of_nothing, settings=settings)
    assert report.to_dict()["phases"][0]["epochs"] == 3


class KeepPolicy(Recorder):
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


# Two epochs of labels alone, and the student's until thresholds differ. One op
# of RandAugment draws as all do, and is traced sooner.
FLEX_MATCH = {**DROPPING, "student_steps": 39, "ops": ["translate_x"]}


def flex_match_fit(backup, *callbacks, **options):
    """Fits with a policy that has a state for each image.

    Returns:
        The model, the report, and the `KeepPolicy` that saw the run.
    """
    keep = KeepPolicy()
    model, report = fit(
        policy=FlexMatchPolicy(0.3, num_unlabeled=300),
        truth=TRUTH,
        settings=FLEX_MATCH,
        callbacks=[keep, *callbacks],
        backup_dir=backup,
        **options,
    )
    return model, report, keep


@pytest.fixture(scope="module")
def flex_match(tmp_path_factory):
    """A fit of FlexMatch, and the folder of its backup.

    Beside the backup lie its copies from the middle of the first phase, the
    first epoch of the second phase, and a later one.
    """
    backup = tmp_path_factory.mktemp("flex_match") / "end"
    copy = CopyBackup(backup, epochs=[1, 2, 8])
    return *flex_match_fit(backup, copy), backup


def test_stochastic_depth_is_not_in_the_result(flex_match):
    model, report, *_ = flex_match
    assert report.to_dict()["settings"]["stochastic_depth"] == 0.2
    assert [type(layer) for layer in model.layers] == [
        type(layer) for layer in build_student().layers
    ]


def test_report_says_what_the_policy_says_that_trained(flex_match, tmp_path):
    model, report, keep, _ = flex_match
    thresholds = keep.thresholds
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
        "accuracy": pytest.approx(np.mean(labels[counts] == TRUTH[counts])),
    }
    report.save(tmp_path)
    table = read_table(tmp_path)
    np.testing.assert_array_equal(table["label"], labels)
    np.testing.assert_array_equal(table["target"], labels)
    np.testing.assert_array_equal(table["weight"], counts)
    np.testing.assert_array_equal(table["counts"], counts)


def assert_same_run(model, report, other, other_report):
    assert_same_weights(model, other)
    for phase, same in zip(
        report.to_dict()["phases"],
        other_report.to_dict()["phases"],
        strict=True,
    ):
        assert phase["history"] == same["history"]
        assert phase["pseudo_labels"] == same["pseudo_labels"]


@pytest.mark.parametrize("epoch", [1, 2, 8])
def test_a_killed_run_ends_as_the_other(flex_match, epoch):
    *expected, expected_keep, backup = flex_match
    *found, keep = flex_match_fit(backup.with_name(str(epoch)))
    assert keep.epochs == list(range(epoch, 15))
    assert_same_run(*found, *expected)
    np.testing.assert_array_equal(keep.thresholds, expected_keep.thresholds)


def test_a_finished_run_is_not_trained_again(flex_match, tmp_path):
    *expected, _, backup = flex_match
    *found, keep = flex_match_fit(backup)
    assert keep.num_batches == 0
    assert_same_run(*found, *expected)
    # Its policy labels the pool as before.
    for name, (_, report) in {"found": found, "expected": expected}.items():
        report.save(tmp_path / name)
    table, same = (
        (tmp_path / name / "pseudo_labels.csv").read_text()
        for name in ("found", "expected")
    )
    assert table == same
    with pytest.raises(ValueError, match="the backup of a run with other"):
        flex_match_fit(backup, seed=1)


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

    model, report = quick_fit(build)
    assert isinstance(model, Subclassed)
    assert len(report.to_dict()["phases"]) == 2
