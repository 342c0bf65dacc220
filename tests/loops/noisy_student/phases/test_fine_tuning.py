import csv
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_fewlabels.evaluation.frozen_features import compute_features
from keras_fewlabels.evaluation.frozen_features.compute_features import (
    FeatureReader,
)
from keras_fewlabels.loops import fit_noisy_student
from keras_fewlabels.loops.noisy_student.measure import Labeler
from keras_fewlabels.loops.noisy_student.phases import Phase
from keras_fewlabels.loops.noisy_student.phases import fine_tuning as module
from keras_fewlabels.loops.noisy_student.phases.fine_tuning import FineTuning
from keras_fewlabels.policies.parts import ClassScores, Sigmoids

# Two classes, told by the brighter half, which weak noise hides a little.
RNG = np.random.default_rng(0)
LABELS = np.arange(200) % 2
IMAGES = RNG.normal(0.4, 0.15, (200, 8, 8, 1))
IMAGES[LABELS == 1, :4] += 0.1
IMAGES = IMAGES.clip(0, 1).astype("float32")


def pretrained(loss=None):
    """A model whose weights are not those of a new one."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(8, 3),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    look_trained(model)
    if loss:
        model.compile(keras.optimizers.Adam(1e-3), loss)
    return model


def look_trained(model):
    model.set_weights(
        [
            weight + 0.05 if weight.ndim == 1 else weight
            for weight in model.get_weights()
        ]
    )


# Four steps on labels, and four of one round.
SHORT = {"student_steps": 6, "steps_per_epoch": 2, "rounds": 1}
LONG = {"student_steps": 60, "steps_per_epoch": 10, "rounds": 2}


def run(model, one_hot=False, **arguments):
    labels = np.eye(2)[LABELS] if one_hot else LABELS
    arguments = {
        "settings": SHORT,
        # It is traced quickly.
        "noise": keras.layers.GaussianNoise(0.1, seed=0),
        "verbose": 0,
        **arguments,
    }
    return fit_noisy_student(
        model,
        (IMAGES[:20], labels[:20]),
        IMAGES[20:],
        test_data=(IMAGES[100:], labels[100:]),
        truth=LABELS[20:],
        **arguments,
    )


@pytest.fixture(scope="module")
def ladder():
    """A student, and the model and report of a run with the usual noise."""
    student = pretrained()
    return student, *run(student, settings=LONG, noise=None)


def check_ladder(student, model, report):
    phases = report.to_dict()["phases"]
    assert [(each["name"], each["steps"]) for each in phases] == [
        ("linear probe", 0),
        ("self-training", 0),
        ("fine-tuning on labels", 20),
        ("fine-tuning", 20),
        ("fine-tuning", 20),
    ]
    for before, after in zip(student.weights, model.weights, strict=True):
        is_norm = "batch_normalization" in before.path
        same = np.array_equal(*map(keras.ops.convert_to_numpy, (before, after)))
        assert same is is_norm
    # No label can tell another temperature than before.
    temperatures = {each["temperature"] for each in phases[1:]}
    assert len(temperatures) == 1 and None not in temperatures
    shares = phases[-1]["pseudo_labels"]
    assert shares["accuracy"] == pytest.approx(
        phases[-1]["test"]["accuracy"], abs=0.2
    )


def test_rounds_train_a_short_network_but_batch_normalization(ladder):
    check_ladder(*ladder)


def test_the_first_quarter_of_the_layers_stays_as_it_is():
    inner = [
        keras.layers.Conv2D(2 + number, 1, name=f"conv_{number}")
        for number in range(9)
    ]
    norm = keras.layers.BatchNormalization()
    backbone = keras.Sequential([keras.Input((8, 8, 1)), norm, *inner])
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            backbone,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    look_trained(model)
    before = model.get_weights()
    trained, _ = run(model)
    same = [
        np.array_equal(ours, theirs)
        for ours, theirs in zip(before, trained.get_weights(), strict=True)
    ]
    # Four weights of the normalization, and two of each other layer.
    assert same == [True] * 8 + [False] * 16


def test_the_report_does_not_predict_the_pool_again(
    ladder, tmp_path, monkeypatch
):
    _, model, report = ladder
    monkeypatch.setattr(Labeler, "__call__", None)
    report.save(tmp_path)
    with open(tmp_path / "pseudo_labels.csv") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose(
        [float(row["confidence"]) for row in rows],
        model.predict(IMAGES[20:], verbose=0).max(axis=1),
        # Of features in half precision, by a head with large weights.
        atol=2e-2,
    )


def test_rounds_of_a_compiled_model():
    student = pretrained("sparse_categorical_crossentropy")
    check_ladder(student, *run(student, settings=LONG))


def test_a_run_goes_on_from_the_model_before(ladder):
    _, model, _ = ladder
    again, report = run(model)
    phases = report.to_dict()["phases"]
    assert [phase["steps"] for phase in phases] == [0, 0, 4, 4]
    # The optimizer is that of the loop, and no label measures these layers.
    assert "measured" in report.to_dict()["why"]["learning_rate"]
    assert {phase["temperature"] for phase in phases} == {None}
    assert again.evaluate(IMAGES[100:], LABELS[100:], verbose=0)[1] > 0.5


def test_validation_images_keep_what_is_worse_away(monkeypatch):
    monkeypatch.setattr(module, "is_worse", lambda before, after: True)
    validation = IMAGES[100:140], LABELS[100:140]
    student = pretrained()
    model, report = run(student, validation_data=validation)
    last = report.to_dict()["phases"][-1]
    assert "kept" in last
    # They also calibrate the model.
    assert 0.25 <= last["temperature"] <= 4 and last["temperature"] != 1
    loss = model.evaluate(IMAGES[100:], LABELS[100:], verbose=0)[0]
    assert loss == pytest.approx(last["test"]["loss"], rel=1e-4)
    for before, after in zip(student.weights[:2], model.weights, strict=False):
        np.testing.assert_array_equal(
            *map(keras.ops.convert_to_numpy, (before, after))
        )


def test_layers_that_do_not_learn_their_labels_are_not_kept():
    student = pretrained()
    settings = {**SHORT, "learning_rate": 100.0}
    model, report = run(student, settings=settings)
    phases = report.to_dict()["phases"]
    assert ["kept" in phase for phase in phases] == [False, False, True, True]
    assert "those of fine-tuning on labels, fine-tuning 1." in " ".join(
        str(report).split()
    )
    for before, after in zip(student.weights[:2], model.weights, strict=False):
        np.testing.assert_array_equal(
            *map(keras.ops.convert_to_numpy, (before, after))
        )


@pytest.fixture(scope="module")
def with_baseline():
    """The report of a run of soft labels, with a baseline."""
    return run(pretrained(), one_hot=True, baseline=True)[1].to_dict()


def test_soft_labels_of_the_user(with_baseline):
    assert with_baseline["phases"][-1]["steps"] == 4


def test_a_baseline_learns_labels_alone_in_as_many_steps(with_baseline):
    baseline = with_baseline["baseline"]
    assert baseline["name"] == "fine-tuning, labels only"
    assert baseline["steps"] == 8
    assert baseline["pseudo_labels"] is None
    # Its head is not fitted to features.
    assert baseline["temperature"] is None


def test_no_time_leaves_the_probe():
    _, report = run(pretrained(), settings=LONG, time_limit=0.01)
    details = report.to_dict()
    assert [each["name"] for each in details["phases"]] == [
        "linear probe",
        "self-training",
    ]
    assert details["time_limit"] == 0.01
    assert [each["name"] for each in details["left_out"]] == [
        "180 of 180 unlabelled images",
        "fine-tuning on labels",
        "fine-tuning 1",
        "fine-tuning 2",
    ]


class Killed(Exception):
    pass


def test_a_killed_run_ends_with_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(compute_features, "BATCH_SIZE", 32)
    monkeypatch.setattr(compute_features, "_MOST_BYTES", 1)
    compute, num_read = FeatureReader._features_of, []

    def counted(reader, images):
        if num_read == killed_at:
            raise Killed
        num_read.append(len(images))
        return compute(reader, images)

    monkeypatch.setattr(FeatureReader, "_features_of", counted)
    killed_at = None
    # Four steps on labels, and four of each round.
    options = {"settings": {**SHORT, "student_steps": 12, "rounds": 2}}
    whole, _ = run(pretrained(), backup_dir=tmp_path / "whole", **options)
    # Twenty to measure how long a pass takes, before the first rung those of
    # all images, and after it and each round those of the images that they
    # learn.
    assert sum(num_read) == 20 + 300 + 3 * 200
    epochs = []

    def callbacks(title):
        def kill(epoch, logs):
            epochs.append(epoch)
            if (title, epoch) == ("fine-tuning 2", 5) and len(epochs) == 6:
                raise Killed

        return [keras.callbacks.LambdaCallback(on_epoch_end=kill)]

    def killed_or_not():
        return run(
            pretrained(),
            backup_dir=tmp_path / "killed",
            callbacks=callbacks,
            **options,
        )

    num_whole, killed_at = list(num_read), num_read[:3]
    num_read.clear()
    for _ in range(2):
        # In the pass over the images, and in the second epoch of a round.
        with pytest.raises(Killed):
            killed_or_not()
        killed_at = None
    resumed, report = killed_or_not()
    assert epochs == [0, 1, 2, 3, 4, 5, 5]
    # No features are computed twice.
    assert num_read == num_whole
    for ours, other in zip(resumed.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(
            *map(keras.ops.convert_to_numpy, (ours, other))
        )
    steps = [each["steps"] for each in report.to_dict()["phases"]]
    assert steps == [0, 0, 4, 4, 4]


def test_cost_counts_the_images_that_pass():
    phase = Phase("a", "fine-tuning", 10, num_predicted=200)

    class Settings:
        batch_size = 32

    assert FineTuning().cost(phase, Settings) == 4 * 32 * 10 + 200


def test_of_a_dataset_a_part_is_in_memory(monkeypatch):
    monkeypatch.setattr(module, "_MAX_BYTES", 50 * IMAGES[0].nbytes)
    kept, pseudo_labeled = [], module._pseudo_labeled

    def counted(context):
        images, targets = pseudo_labeled(context)
        kept.append((len(images), len(targets), len(images._rows)))
        return images, targets

    monkeypatch.setattr(module, "_pseudo_labeled", counted)
    pool = tf.data.Dataset.from_tensor_slices(IMAGES[20:]).batch(16)
    fit_noisy_student(
        pretrained(),
        (IMAGES[:20], LABELS[:20]),
        pool,
        settings={"student_steps": 6, "rounds": 1},
        noise=keras.layers.GaussianNoise(0.1, seed=0),
        verbose=0,
    )
    # Of each class, the half that is least sure is left out.
    (num_images, num_targets, num_rows), *others = kept
    assert not others and num_rows == 50
    assert num_images == num_targets and 25 <= num_images <= 26


def test_the_surer_half_of_each_class_is_learned():
    confidence = np.array([0.9, 0.4, 0.8, 0.3, 0.2, 0.6])
    groups = np.array([0, 1, 0, 1, 1, 2])
    np.testing.assert_array_equal(
        module._are_surer(confidence, groups),
        [True, True, False, True, False, True],
    )


def test_labels_of_rare_classes_are_repeated():
    images, labels = module._as_often(IMAGES[:5], np.array([2, 0, 2, 2, 0]))
    assert np.bincount(labels).tolist() == [3, 0, 3]
    assert {image.tobytes() for image in images} == {
        image.tobytes() for image in IMAGES[:5]
    }


def compared(scores, labels, weights=None):
    """A context in which predictions are compared."""
    recipe = types.SimpleNamespace(
        task=types.SimpleNamespace(scores=scores),
        class_weights=lambda labels: weights,
    )
    data = types.SimpleNamespace(validation=(None, labels))
    return types.SimpleNamespace(recipe=recipe, data=data)


def test_layers_are_worse_by_accuracy_or_by_precision():
    truth = RNG.integers(0, 2, (200, 3))
    noise = RNG.normal(0, 0.1, truth.shape)
    good, bad = truth / 2 + 0.25 + noise, truth / 4 + 0.25 + 3 * noise
    # None is above a half, so that all decisions are alike.
    sigmoids = compared(Sigmoids(False), truth)
    assert module._are_worse(sigmoids, good / 2, bad / 2)
    assert not module._are_worse(sigmoids, bad / 2, good / 2)
    assert not module._are_worse(sigmoids, good, good)
    classes = np.repeat([0, 1], [150, 50])
    before, after = np.eye(2)[classes], np.eye(2)[np.zeros(200, int)]
    softmax = compared(ClassScores(False, True), classes)
    assert module._are_worse(softmax, before, after)
    assert not module._are_worse(softmax, after, before)
    # Only images of the second class differ.
    softmax = compared(ClassScores(False, True), classes, np.array([1, 0]))
    assert not module._are_worse(softmax, before, after)


@pytest.mark.parametrize(
    "hidden, num_wrong, is_undone",
    [(1.0, 0, False), (1.0, 1, False), (1.0, 4, True), (0.6, 4, False)],
)
def test_one_label_that_is_not_learned_is_no_proof(
    hidden, num_wrong, is_undone, monkeypatch
):
    labels = np.arange(24) % 2
    probabilities = np.eye(2)[
        np.where(np.arange(24) < num_wrong, 1, 0) ^ labels
    ]
    head = types.SimpleNamespace(probabilities=lambda _: probabilities)
    monkeypatch.setattr(module, "head_of", lambda *_: head)
    context = types.SimpleNamespace(
        results=[{"cross_validation": {"accuracy": hidden, "num_images": 24}}],
        phase=types.SimpleNamespace(with_unlabeled=True),
        student=None,
        features=types.SimpleNamespace(
            of=lambda _: types.SimpleNamespace(labeled=None)
        ),
        data=types.SimpleNamespace(labeled=(None, labels)),
        recipe=types.SimpleNamespace(
            settings=types.SimpleNamespace(balanced=False),
            task=types.SimpleNamespace(scores=ClassScores(False)),
        ),
    )
    assert module._has_not_learned(context) is is_undone
