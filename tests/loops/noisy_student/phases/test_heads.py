import types

import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.evaluation.frozen_features.linear_head import LinearHead
from keras_fewlabels.evaluation.frozen_features.temperature import (
    fit_temperature,
)
from keras_fewlabels.loops import fit_noisy_student
from keras_fewlabels.loops.noisy_student.build_student import (
    comes_from_loop,
    layers_know_labels,
    mark_layers_trained,
    optimizer_of_loop,
)
from keras_fewlabels.loops.noisy_student.phases import PHASE_KINDS
from keras_fewlabels.loops.noisy_student.phases.fine_tuning import FineTuning
from keras_fewlabels.loops.noisy_student.phases.heads import is_worse

# The class is which of three corners is brightest, under noise.
RNG = np.random.default_rng(0)
LABELS = np.arange(120) % 3
IMAGES = RNG.normal(0, 0.3, (120, 2, 2, 1)).astype("float32")
IMAGES.reshape(120, 4)[np.arange(120), LABELS] += 2


def build(scale=1.0):
    model = keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            layers.Rescaling(scale),
            layers.Flatten(),
            layers.Dense(4, kernel_initializer="identity"),
            layers.Dense(3),
        ]
    )
    model.set_weights([weight + 0.1 for weight in model.get_weights()])
    return model


@pytest.fixture(autouse=True, scope="module")
def no_fine_tuning():
    left_out = {"left_out": "heads alone are tested"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FineTuning, "train", lambda *_: left_out)
        yield


def probe(model, one_hot=False):
    """Runs a ladder whose heads alone are fitted."""
    labels = keras.utils.to_categorical(LABELS) if one_hot else LABELS
    model, report = fit_noisy_student(
        model,
        (IMAGES[:30], labels[:30]),
        IMAGES[30:60],
        test_data=(IMAGES[60:], labels[60:]),
        value_range=(-2, 4),
        noise=layers.Identity(),
        verbose=0,
    )
    return model, report.to_dict()


@pytest.fixture(scope="module")
def probed(no_fine_tuning):
    """A student, its weights before a ladder, and the outcome."""
    student = build()
    before = [np.array(weight) for weight in student.get_weights()]
    model, details = probe(student)
    return types.SimpleNamespace(
        student=student, before=before, model=model, details=details
    )


def test_features_that_tell_the_classes_apart(probed):
    for model, details in (
        (probed.model, probed.details),
        probe(build(), one_hot=True),
    ):
        assert [phase["name"] for phase in details["phases"]] == [
            "linear probe",
            "self-training",
        ]
        for phase in details["phases"]:
            assert phase["test"]["accuracy"] > 0.95
            assert phase["test"]["num_images"] == 60
            assert phase["cross_validation"]["accuracy"] > 0.9
            assert phase["cross_validation"]["num_images"] == 30
        predicted = model.predict(IMAGES[60:], verbose=0).argmax(axis=1)
        assert (predicted == LABELS[60:]).mean() == (
            details["phases"][-1]["test"]["accuracy"]
        )


def test_the_model_is_calibrated_as_the_report_says(probed):
    last = probed.details["phases"][-1]
    assert 0.25 <= last["temperature"] <= 4 and last["temperature"] != 1
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    found = loss(LABELS[60:], probed.model.predict(IMAGES[60:], verbose=0))
    np.testing.assert_allclose(found, last["test"]["loss"], rtol=1e-4)


def test_without_images_to_measure_labels_are_examined_in_turn():
    _, report = fit_noisy_student(
        build(),
        (IMAGES[:30], LABELS[:30]),
        IMAGES[30:60],
        value_range=(-2, 4),
        noise=layers.Identity(),
        class_names=["left", "middle", "right"],
        verbose=0,
    )
    details = report.to_dict()
    examined = details["examined"]
    assert examined["split"] == "cross-validation"
    assert examined["name"] == "self-training"
    # Each label is in it, and no image of the pool is.
    assert np.sum(examined["confusion"]) == 30
    accuracy = details["phases"][-1]["cross_validation"]["accuracy"]
    assert np.trace(examined["confusion"]) == pytest.approx(30 * accuracy)
    assert examined["calibration"]["accuracy"] == pytest.approx(accuracy)
    assert "30 labels, by" in " ".join(str(report).split())
    assert all("examined" not in phase for phase in details["phases"])


def test_features_that_say_nothing():
    _, details = probe(build(scale=0.0))
    for phase in details["phases"]:
        assert phase["test"]["accuracy"] < 0.5


def test_other_layers_stay_as_they_are(probed):
    before = probed.before
    for weight, same in zip(
        probed.model.get_weights()[:2], before, strict=False
    ):
        np.testing.assert_array_equal(weight, same)
    for weight, same in zip(probed.student.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)


class Classifier:
    """Two heads whose logits in a cross-validation are known."""

    def __init__(self, probe, self_trained, classes, balanced=False):
        self.targets = np.eye(2)[classes]
        self.balanced = balanced
        self.logits = {False: probe, True: self_trained}

    def hidden_logits(self, self_trained, seed):
        return self.logits[self_trained]

    def probe(self):
        return LinearHead(np.array([[2.0, 0.0]]), np.zeros(2))

    def self_train(self):
        return LinearHead(np.array([[0.0, 2.0]]), np.zeros(2))


def answers(num_right):
    return np.arange(100) < num_right


def logits(classes, right):
    """Returns logits of which some are right, and all are as sure."""
    return 2.0 * np.eye(2)[np.where(right, classes, 1 - classes)]


CLASSES = np.arange(100) % 2
SELF_TRAINING = PHASE_KINDS["self-training"]


@pytest.mark.parametrize(
    "num_right, kept, kernel",
    [
        (92, "self-trained head", [[0, 2]]),
        # The mean of calibrated heads, of which one is cooled more.
        (78, "mean of both heads", None),
        (55, "linear probe", [[2, 0]]),
    ],
)
def test_the_head_is_chosen_by_labels_that_it_has_not_learned(
    num_right, kept, kernel
):
    probe, self_trained = (
        logits(CLASSES, answers(count)) for count in (80, num_right)
    )
    classifier = Classifier(probe, self_trained, CLASSES)
    chosen = SELF_TRAINING.choose(classifier, 0)
    assert chosen.choice["kept"] == kept
    assert chosen.choice["num_images"] == 100
    assert (chosen.choice["gain"] > 0) is (num_right > 80)
    if kernel is None:
        found = chosen.head.kernel * fit_temperature(probe, classifier.targets)
        assert found[0, 0] == pytest.approx(1) and 0.5 < found[0, 1] < 1
        right = chosen.hidden.argmax(axis=1) == CLASSES
        assert right.sum() == 80
    else:
        np.testing.assert_array_equal(chosen.head.kernel, kernel)


def test_where_classes_count_alike_a_rare_one_decides():
    classes = np.repeat([0, 1], [90, 10])
    # The self-trained head has two frequent images more, and three rare less.
    probe = logits(classes, np.r_[np.arange(90) >= 10, np.full(10, True)])
    after = logits(classes, np.r_[np.arange(90) >= 4, np.arange(10) >= 3])
    kept = [
        SELF_TRAINING.choose(
            Classifier(probe, after, classes, balanced), 0
        ).choice["kept"]
        for balanced in (False, True)
    ]
    assert kept == ["self-trained head", "mean of both heads"]


def test_a_difference_by_chance_decides_nothing():
    assert is_worse(answers(80), answers(70))
    assert is_worse(answers(80), answers(78))
    assert not is_worse(answers(80), answers(78), margin=2.0)
    assert not is_worse(answers(80), answers(79))
    swapped = np.roll(answers(80), 30)
    assert not is_worse(answers(80), swapped)
    assert not is_worse(answers(80), answers(80))


def test_without_cross_validation_unlabelled_images_are_learned():
    chosen = SELF_TRAINING.choose(Classifier(None, None, CLASSES), 0)
    np.testing.assert_array_equal(chosen.head.kernel, [[0, 2]])
    assert chosen.choice is None and chosen.hidden is None


def test_labels_do_not_measure_layers_that_know_them(probed):
    model = build()
    # As a run leaves a model that it has fine-tuned.
    model.compile(
        optimizer_of_loop(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    mark_layers_trained(model)
    again, report = fit_noisy_student(
        model,
        (IMAGES[:30], LABELS[:30]),
        IMAGES[30:],
        value_range=(-2, 5),
        noise=layers.Identity(),
        verbose=0,
    )
    details = report.to_dict()
    for phase in details["phases"]:
        assert phase["cross_validation"] is None
        assert phase["temperature"] is None
    assert details["examined"] is None
    assert phase.get("pool") is None
    assert "layers have learned labels" in str(report).replace("\n", " ")
    # The settings are those of the loop.
    assert "compiled" not in details["why"]["learning_rate"]
    assert layers_know_labels(again)
    # Only heads were fitted to layers that know no label.
    first = probed.model
    assert comes_from_loop(first) and not layers_know_labels(first)
    _, details = probe(first)
    assert details["phases"][0]["cross_validation"] is not None


def test_foreign_images_are_left_out_and_reported():
    foreign = RNG.normal(0, 0.3, (60, 2, 2, 1)).astype("float32")
    foreign.reshape(60, 4)[:, 3] += 3
    _, report = fit_noisy_student(
        build(),
        (IMAGES[:30], LABELS[:30]),
        np.concatenate([IMAGES[30:], foreign]),
        value_range=(-2, 5),
        noise=layers.Identity(),
        verbose=0,
    )
    phase = report.to_dict()["phases"][1]
    pool = phase["pool"]
    assert pool["num_images"] == 150 and 50 <= pool["num_foreign"] <= 70
    shown = pool["most_foreign"]
    # All of the 30 are foreign, and stand behind the 90 others.
    assert len(shown) == 30 and min(row["index"] for row in shown) >= 90
    assert all(row["weight"] < 0.5 for row in shown)
    low, high = pool["foreign_interval"]
    assert low <= pool["foreign_share"] <= high
    np.testing.assert_allclose(pool["class_shares"], 1 / 3, atol=0.05)
    left = 1 - pool["num_foreign"] / 150
    assert phase["pseudo_labels"]["mask_ratio"] == pytest.approx(left)
    assert "unlabelled images look foreign" in str(report)
