import types

import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.features import with_features
from keras_fewlabels.evaluation.frozen_features.compute_features import (
    FeatureReader,
)
from keras_fewlabels.loops.noisy_student.phases import Phase
from keras_fewlabels.loops.noisy_student.training import student_features
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    FinishedPhases,
)
from keras_fewlabels.loops.noisy_student.training.run_clock import RunClock
from keras_fewlabels.loops.noisy_student.training.run_progress import (
    RunProgress,
)
from keras_fewlabels.loops.noisy_student.training.student_features import (
    StudentFeatures,
)
from keras_fewlabels.loops.noisy_student.training.student_head import (
    head_of,
    set_head,
)
from keras_fewlabels.policies.parts import ClassScores

IMAGES = np.random.default_rng(0).random((40, 4, 4, 1), "float32")


class Clock(RunClock):
    """A clock on which a number of passes of images are left."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds_left_for_features = seconds

    seconds_left_for_features = None


class ImageBatches(keras.utils.PyDataset):
    """The unlabelled images, as a dataset."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return IMAGES[10:][10 * index :][:10]


def classifier():
    head = layers.Dense(3, activation="softmax")
    identity = layers.Dense(16, kernel_initializer="identity", name="identity")
    return keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Flatten(), identity, head]
    )


def change(model, factor=2):
    kernel = model.layers[1].kernel
    kernel.assign(factor * kernel)


def features_of(student, clock, flip=True, with_unlabeled=True, folder=None):
    rung = Phase("rung", "linear probe", 0, num_predicted=40)
    tuning = Phase(
        "tuning", "fine-tuning", 50, with_unlabeled=True, num_predicted=40
    )
    settings = types.SimpleNamespace(batch_size=1, balanced=False)
    progress = RunProgress([rung, tuning], settings, verbose=0)
    task = types.SimpleNamespace(
        layers_know_labels=False,
        unlabeled=image_source(IMAGES[10:]),
        num_classes=3,
        scores=ClassScores(False, sparse=True),
    )
    context = types.SimpleNamespace(
        student=student,
        phase=types.SimpleNamespace(
            title="rung", with_unlabeled=with_unlabeled, mirrored=flip
        ),
        data=types.SimpleNamespace(
            labeled=(IMAGES[:10], np.arange(10) % 3),
            test=(IMAGES[:7], np.zeros(7)),
            seed=0,
        ),
        recipe=types.SimpleNamespace(task=task, settings=settings),
        progress=progress,
        left_out=[],
    )
    finished = FinishedPhases(folder, lambda: "a run")
    features = StudentFeatures(
        task,
        clock,
        progress,
        finished,
        lambda *why: context.left_out.append(why),
    )
    return features, context


def rows(images):
    return images.reshape(len(images), -1)


def parts_of(features):
    if isinstance(features, np.ndarray):
        return [features]
    return [features.labeled, features.unlabeled, features.numbers]


def test_features_of_both_views_where_there_is_time():
    features, context = features_of(classifier(), Clock(np.inf))
    mean = rows((IMAGES + IMAGES[:, :, ::-1]) / 2)
    found = features.of(context)
    np.testing.assert_allclose(found.labeled, mean[:10], atol=1e-3)
    np.testing.assert_allclose(found.unlabeled, mean[10:], atol=1e-3)
    # Images to measure with are predicted as they are.
    np.testing.assert_allclose(
        features.of_split(context, "test"), rows(IMAGES[:7]), atol=1e-3
    )


@pytest.mark.parametrize("flip", [False, True])
def test_without_time_there_are_the_labelled_images_alone(flip):
    features, context = features_of(classifier(), Clock(0.0), flip)
    found = features.of(context)
    np.testing.assert_allclose(found.labeled, rows(IMAGES[:10]), atol=1e-3)
    assert found.unlabeled.shape == (0, 16)
    change(context.student)
    # The decision holds for the whole run.
    features._clock = Clock(np.inf)
    assert not len(features.of(context).unlabeled)


def test_with_little_time_images_are_drawn(monkeypatch):
    monkeypatch.setattr(FeatureReader, "seconds_per_image", 1.0)
    features, context = features_of(classifier(), Clock(12.0), flip=False)
    found = features.of(context)
    assert len(found.numbers) == 12 and (np.diff(found.numbers) > 0).all()
    assert found.numbers[-1] > 20
    expected = rows(IMAGES[10:])[found.numbers]
    np.testing.assert_allclose(found.unlabeled, expected, atol=1e-3)
    # The same ones in each rung.
    change(context.student)
    np.testing.assert_array_equal(features.of(context).numbers, found.numbers)
    # A dataset is only read in its order.
    source = image_source(ImageBatches())
    features, context = features_of(classifier(), Clock(12.0), flip=False)
    context.recipe.task.unlabeled = features._task.unlabeled = source
    np.testing.assert_array_equal(features.of(context).numbers, np.arange(12))


def test_the_run_knows_how_many_images_are_left_out(monkeypatch):
    monkeypatch.setattr(FeatureReader, "seconds_per_image", 1.0)
    features, context = features_of(classifier(), Clock(24.0), flip=False)
    assert len(features.of(context).numbers) == 24
    assert context.progress.phases["tuning"].num_predicted == 10 + 24
    assert context.progress.costs["tuning"] == 4 * 50 + 10 + 24
    why = "there was no time for them"
    assert context.left_out == [("6 of 30 unlabelled images", why)]
    # Nor is it said twice.
    change(context.student)
    features.of(context)
    assert len(context.left_out) == 1


def test_features_are_kept_until_the_layers_change():
    features, context = features_of(classifier(), Clock(np.inf))
    found, heads = features.of(context), features.classifier(context)
    assert features.of(context) is found
    set_head(context.student, head_of(classifier()))
    assert features.classifier(context) is heads
    change(context.student)
    np.testing.assert_allclose(
        features.of(context).labeled, 2 * found.labeled, rtol=1e-3
    )
    # A fine-tuning that is undone.
    change(context.student, 0.5)
    assert features.of(context) is found
    for factor in 2, 2:
        change(context.student, factor)
        features.of(context)
    change(context.student, 0.25)
    assert features.of(context) is not found


def test_one_model_gives_the_features_of_all_layers(monkeypatch):
    made = []

    def counted(model):
        made.append(model)
        return with_features(model)

    monkeypatch.setattr(student_features, "with_features", counted)
    features, context = features_of(classifier(), Clock(np.inf))
    first = features.of(context)
    change(context.student)
    np.testing.assert_allclose(
        features.of(context).labeled, 2 * first.labeled, rtol=2e-3
    )
    assert made == [context.student]
    # Another student has a model of its own.
    context.student = classifier()
    change(context.student, 3)
    np.testing.assert_allclose(
        features.of(context).labeled, 3 * first.labeled, rtol=2e-3
    )
    assert len(made) == 2


def test_a_rung_may_leave_mirror_images_out():
    features, context = features_of(classifier(), Clock(np.inf), flip=True)
    features.of(context)
    context.phase.mirrored = False
    change(context.student)
    np.testing.assert_allclose(
        features.of(context).unlabeled, 2 * rows(IMAGES[10:]), rtol=2e-3
    )


@pytest.mark.parametrize("flip", [False, True])
def test_the_features_say_what_a_model_predicts_for_the_pool(flip):
    features, context = features_of(classifier(), Clock(np.inf), flip)
    student = context.student
    assert features.predicted_pool(student) is None
    features.of(context)
    # Another head of the same layers, as that of a model that is calibrated.
    set_head(student, head_of(student).cooled(0.5))
    numbers, predicted = features.predicted_pool(student)
    np.testing.assert_array_equal(numbers, np.arange(30))
    np.testing.assert_allclose(
        predicted, student.predict(IMAGES[10:], verbose=0), atol=1e-3
    )
    change(student)
    assert features.predicted_pool(student) is None


def test_what_a_model_predicts_for_images_that_were_drawn(monkeypatch):
    monkeypatch.setattr(FeatureReader, "seconds_per_image", 1.0)
    features, context = features_of(classifier(), Clock(12.0), flip=False)
    features.of(context)
    numbers, predicted = features.predicted_pool(context.student)
    assert 0 < len(numbers) < 30
    np.testing.assert_allclose(
        predicted,
        context.student.predict(IMAGES[10:][numbers], verbose=0),
        atol=1e-3,
    )


def test_features_do_not_say_which_images_of_a_dataset_are_which():
    features, context = features_of(classifier(), Clock(100.0), flip=False)
    features._task.unlabeled = image_source(ImageBatches())
    features.of(context)
    assert features.predicted_pool(context.student) is None


@pytest.fixture
def num_read(monkeypatch):
    """List of the numbers of images whose features are computed."""
    numbers = []
    compute = FeatureReader._features_of

    def counted(self, images):
        numbers.append(len(images))
        return compute(self, images)

    monkeypatch.setattr(FeatureReader, "_features_of", counted)
    return numbers


def test_features_of_a_backup_are_those_of_the_same_layers(tmp_path, num_read):
    def features(student):
        found, context = features_of(student, Clock(np.inf), folder=tmp_path)
        return found.of(context), found.of_split(context, "test")

    student = classifier()
    first = features(student)
    # Ten are read once more, to measure how long a pass takes.
    assert sum(num_read) == 40 + 7 + 10
    set_head(student, head_of(classifier()))
    again = features(student)
    assert sum(num_read) == 40 + 7 + 10
    for before, after in zip(first, again, strict=True):
        np.testing.assert_equal(parts_of(after), parts_of(before))
    change(student)
    np.testing.assert_allclose(
        features(student)[0].unlabeled, 2 * first[0].unlabeled, rtol=1e-3
    )
    assert sum(num_read) == 2 * (40 + 7) + 10
    # Those of the first layers are still there for the first rungs.
    change(student, 0.5)
    features(student)
    assert sum(num_read) == 2 * (40 + 7) + 10


def test_other_images_to_measure_with_have_features_of_their_own(tmp_path):
    student = classifier()
    for images in (IMAGES[:7], IMAGES[7:14]):
        features, context = features_of(student, Clock(np.inf), folder=tmp_path)
        context.data.test = images, np.zeros(7)
        np.testing.assert_allclose(
            features.of_split(context, "test"), rows(images), atol=1e-3
        )


def test_a_rung_without_unlabelled_images_reads_none():
    features, context = features_of(
        classifier(), Clock(np.inf), with_unlabeled=False
    )
    assert not len(features.of(context).unlabeled)


def test_foreign_images_are_found_once_and_left_out():
    rng = np.random.default_rng(0)
    labeled = 9 * np.eye(16)[np.arange(20) % 3] + rng.random((20, 16))
    alike = 9 * np.eye(16)[np.arange(60) % 3] + rng.random((60, 16))
    other = 9 * np.eye(16)[9] + rng.random((40, 16))
    features, context = features_of(classifier(), Clock(np.inf), flip=False)
    pool = np.concatenate([alike, other]).reshape(-1, 4, 4, 1)
    source = image_source(pool.astype("float32"))
    context.recipe.task.unlabeled = features._task.unlabeled = source
    images = labeled.reshape(-1, 4, 4, 1).astype("float32")
    context.data.labeled = images, np.arange(20) % 3
    assert features.foreign is None and features.is_learned(5).all()
    # A run that goes on may fit no head before the layers change.
    features.of(context)
    np.testing.assert_array_equal(
        features.is_learned(100), np.repeat([True, False], [60, 40])
    )
    found = features.classifier(context)
    assert len(found.graph.spread(np.ones((80, 1)))) == 80
    # Later layers have seen the labels.
    first = features.foreign
    change(context.student)
    assert features.classifier(context) is not found
    assert features.foreign is first
