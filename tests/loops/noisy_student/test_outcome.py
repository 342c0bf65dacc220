import types

import keras
import numpy as np
import pytest

from keras_fewlabels.foundation import embedded_image
from keras_fewlabels.loops import recommend
from keras_fewlabels.loops.noisy_student.outcome import Outcome
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.phases import plan_phases
from keras_fewlabels.loops.noisy_student.task import inspect_task
from keras_fewlabels.loops.noisy_student.training.run_progress import (
    RunProgress,
)
from keras_fewlabels.loops.noisy_student.training.student_features import (
    StudentFeatures,
)
from keras_fewlabels.policies import FixedThreshold

# The class is whether the left or the right pixel is brighter.
IMAGES = np.random.default_rng(0).random((200, 1, 2, 1), "float32")
LABELS = IMAGES[:, 0].argmax(axis=1).reshape(-1)


def classifier(is_right=True):
    """A model that is always right, or always wrong."""
    model = keras.Sequential(
        [keras.Input((1, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    sign = 1 if is_right else -1
    model.set_weights([sign * np.eye(2), np.zeros(2)])
    return model


def outcome_of(
    student,
    baseline=None,
    has_validation=True,
    has_test=True,
    results=(),
    alone=None,
    learns_validation=False,
    balanced=False,
):
    task = inspect_task(student, (IMAGES[:100], LABELS[:100]), IMAGES[100:])
    test = (IMAGES[100:], keras.utils.to_categorical(LABELS[100:]))
    share = 0.5 if has_validation else 0.0
    data = divide(task, None, test if has_test else None, share, seed=0)
    models = {"student": student}
    if baseline is not None:
        models["baseline"] = baseline
    settings = types.SimpleNamespace(balanced=balanced)
    recipe = types.SimpleNamespace(task=task, settings=settings)
    policy = FixedThreshold(0.5)
    run = types.SimpleNamespace(
        models=models,
        recipe=recipe,
        progress=RunProgress([], None, 0),
        features={"student": StudentFeatures(task, *4 * [None])},
        data=data,
        last_data=data.with_validation_learned() if learns_validation else data,
        last_policy=policy,
        labels_alone=alone and alone.get_weights(),
        build=lambda generation: classifier(),
        results={"student": [{}, {}], **dict(results)},
    )
    return Outcome(run)


def test_the_better_of_two_on_validation_images_is_kept():
    student, baseline = classifier(False), classifier()
    outcome = outcome_of(student, baseline)
    assert outcome.model is baseline
    assert outcome.verdict["kept"] == "baseline"
    assert outcome.verdict["split"] == "validation"
    assert outcome.verdict["difference"] == -1
    files = outcome.files()
    assert files.models == {"model": baseline, "last": student}
    # No policy made pseudo-labels for it.
    assert files.pseudo_labels.weights is None
    # Where the model that was kept is wrong: nowhere.
    assert outcome.examined["mistakes"] == []
    assert outcome.examined["balanced_accuracy"] == 1
    assert outcome.examined["calibration"]["accuracy"] == 1


def test_a_student_stays_where_it_is_better_or_nobody_can_tell():
    for baseline in (classifier(False), classifier()):
        student = classifier()
        outcome = outcome_of(student, baseline)
        assert outcome.model is student
        assert outcome.verdict["kept"] == "student"
        assert outcome.verdict["linear_probe"] is None
        assert outcome.files().models == {"model": student}


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("is_right", [True, False])
def test_the_verdict_knows_the_linear_probe(split, is_right):
    def phase(accuracy):
        return {split: {"accuracy": accuracy, "num_images": 50}}

    results = {
        "student": [phase(0.1), phase(0.3)],
        "baseline": [phase(0.4)],
        "linear probe": [phase(0.35)],
    }
    verdict = outcome_of(
        classifier(is_right),
        classifier(not is_right),
        has_validation=split == "validation",
        results=results,
    ).verdict
    # Of the model that is kept, on the images of the verdict.
    keeps_baseline = split == "validation" and not is_right
    assert verdict["kept"] == ("baseline" if keeps_baseline else "student")
    assert verdict["linear_probe"] == {
        "accuracy": 0.35,
        "accuracy_of_kept": 0.4 if keeps_baseline else 0.3,
        "is_better": not keeps_baseline,
    }


def test_test_images_tell_but_choose_nothing():
    student = classifier(False)
    outcome = outcome_of(student, classifier(), has_validation=False)
    assert outcome.model is student
    assert outcome.verdict["split"] == "test"
    assert outcome.verdict["is_better"] is False
    assert outcome.verdict["kept"] == "student"
    outcome = outcome_of(
        student, classifier(), has_validation=False, has_test=False
    )
    assert outcome.verdict is None and outcome.examined is None
    assert outcome.files().mistakes is None


@pytest.mark.parametrize("has_test", [True, False])
def test_mistakes_are_those_on_test_images_if_there_are_any(has_test):
    outcome = outcome_of(classifier(False), has_test=has_test)
    assert outcome.verdict is None
    examined = outcome.examined
    assert examined["split"] == ("test" if has_test else "validation")
    assert np.trace(examined["confusion"]) == 0
    assert [each["recall"] for each in examined["recalls"]] == [0, 0]
    found = examined["calibration"]
    assert sum(each["num_images"] for each in found["bins"]) == (
        100 if has_test else 50
    )
    # All are wrong: the whole confidence is too much.
    assert found["expected_calibration_error"] == pytest.approx(
        found["confidence"]
    )
    files = outcome.files()
    assert files.mistakes.shape == (20, 1, 2, 1)
    if has_test:
        places = [100 + each["index"] for each in examined["mistakes"]]
        np.testing.assert_array_equal(files.mistakes, IMAGES[places])
    assert len(files.pseudo_labels.weights) == 100
    # The images of the cells are those that were examined.
    first = examined["examples"][0]
    assert first == examined["mistakes"][0]
    (shown,) = files.thumbnails([first], [], (0, 1))["examples"]
    assert shown["src"] == embedded_image(files.mistakes[0], (0, 1))


@pytest.mark.parametrize("has_validation", [True, False])
@pytest.mark.parametrize("is_right", [True, False])
def test_labels_alone_are_the_reference_without_a_baseline(
    has_validation, is_right
):
    student, alone = classifier(is_right), classifier(not is_right)
    outcome = outcome_of(student, has_validation=has_validation, alone=alone)
    if not has_validation:
        assert outcome.verdict is None and outcome.model is student
        return
    assert outcome.verdict["reference"] == "supervised phase"
    kept = "student" if is_right else "supervised phase"
    assert outcome.verdict["kept"] == kept
    for found, expected in zip(
        outcome.model.get_weights(), classifier().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("is_right", [True, False])
def test_learned_validation_images_only_tell_that_a_student_is_worse(is_right):
    outcome = outcome_of(
        classifier(is_right),
        alone=classifier(not is_right),
        learns_validation=True,
    )
    if is_right:
        assert outcome.verdict is None
    else:
        assert outcome.verdict["kept"] == "supervised phase"
    for found, expected in zip(
        outcome.model.get_weights(), classifier().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_where_all_classes_count_alike_balanced_accuracies_are_compared():
    def always(number):
        model = classifier()
        bias = np.where(np.arange(2) == number, 1, -1)
        model.set_weights([np.zeros((2, 2)), bias])
        return model

    # As often right, for the classes are even.
    outcome = outcome_of(always(0), always(1), balanced=True)
    assert outcome.verdict["figure"] == "balanced_accuracy"
    assert outcome.verdict["difference"] == 0
    assert outcome.verdict["is_better"] is None
    assert outcome_of(always(0), always(1)).verdict["figure"] == "accuracy"


def test_an_interrupted_student_is_not_compared_with_itself():
    student = classifier()
    results = {"student": [{}]}
    outcome = outcome_of(student, alone=student, results=results)
    assert outcome.verdict is None and outcome.model is student


def test_a_waterfall_ends_before_what_was_interrupted():
    settings = recommend(classifier, (IMAGES[:100], LABELS[:100]), IMAGES[100:])
    settings = settings.with_changes({"stochastic_depth": 0.1})
    phases = plan_phases(settings, 1, has_validation=True, waterfall=True)
    results = {}
    for number, phase in enumerate(phases):
        # Of models, as `Outcome` is made for a run that has ended.
        measured = {"name": phase.name, "validation": number, "test": None}
        results.setdefault(phase.branch, []).append(measured)
    names = ["labels only", "+ augmentation", "+ pseudo-labels"]

    def shown(left_out):
        known = {
            branch: each
            for branch, each in results.items()
            if branch not in left_out
        }
        outcome = outcome_of(classifier(), results=known)
        outcome._run.clock = types.SimpleNamespace(limit=None)
        outcome._run.left_out, outcome._run.seconds = [], 0.0
        return [step["name"] for step in outcome.results(phases)["waterfall"]]

    assert shown([]) == [*names, "+ model noise"]
    assert shown(["without model noise"]) == names[:2]
    assert shown(["+ augmentation"]) == names[:1]
    assert shown(["labels only"]) == []
    # The student itself.
    results["without model noise"].pop()
    assert shown([]) == names[:2]
