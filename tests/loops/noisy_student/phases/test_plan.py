import dataclasses

import keras
import numpy as np
import pytest

from keras_fewlabels.loops import recommend
from keras_fewlabels.loops.noisy_student.phases import (
    PHASE_KINDS,
    Noise,
    plan_phases,
    waterfall_steps,
)

IMAGES = np.random.default_rng(0).random((50, 2, 2, 1), "float32")
MODEL = keras.Sequential(
    [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
)
SETTINGS = dataclasses.replace(
    recommend(MODEL, (IMAGES[:20], np.arange(20) % 2), IMAGES[20:]),
    batch_size=10,
    unlabeled_ratio=2,
    supervised_steps=7,
    student_steps=5,
    patience=4,
    train_on_validation=False,
)


def plan(generations=1, has_validation=True, settings=None, **options):
    settings = dataclasses.replace(SETTINGS, **(settings or {}))
    return plan_phases(
        settings, generations, has_validation=has_validation, **options
    )


def titles(phases):
    return [phase.title for phase in phases]


@pytest.mark.parametrize(
    "num_labeled, student_steps, expected",
    [
        (60, 300, [75, 112, 112]),
        # Few labels have a few more passes, many as many steps as a round.
        (5, 300, [40, 130, 130]),
        (270, 300, [100, 100, 100]),
        (60, 9, [3, 3, 3]),
        (60, 1, [1, 1, 1]),
    ],
)
def test_few_labels_are_not_learned_by_heart(
    num_labeled, student_steps, expected
):
    phases = plan(
        settings={
            "pretrained": True,
            "rounds": 2,
            "batch_size": 32,
            "student_steps": student_steps,
        },
        counts=(num_labeled, 100),
    )
    assert [phase.steps for phase in phases] == [0, 0, *expected]


@pytest.mark.parametrize("pretrained", [True, False])
@pytest.mark.parametrize("flip", [True, False])
def test_frozen_features_are_of_mirror_images_too(flip, pretrained):
    phases = plan(
        settings={"pretrained": pretrained, "flip": flip},
        baseline=True,
        linear_probe=not pretrained,
    )
    probes = [phase for phase in phases if phase.kind == "linear probe"]
    assert [phase.mirrored for phase in probes] == [flip] * len(probes)
    assert len(probes) == (2 if pretrained else 1)
    others = [phase for phase in phases if phase.kind == "fine-tuning"]
    assert not any(phase.mirrored for phase in others)


def test_phases_of_the_students():
    phases = plan(2)
    assert titles(phases) == [
        "supervised",
        "noisy student 1",
        "noisy student 2",
    ]
    assert [phase.steps for phase in phases] == [7, 5, 5]
    assert [phase.teacher for phase in phases] == [None, "average", "average"]
    assert [phase.patience for phase in phases] == [4, None, None]
    assert {phase.branch for phase in phases} == {"student"}
    supervised = plan(has_validation=False)[0]
    assert supervised.patience is None


@pytest.mark.parametrize("supervised", [True, False])
@pytest.mark.parametrize("student", [True, False])
@pytest.mark.parametrize("labeled", ["strong", "weak"])
def test_noise_of_the_students(supervised, student, labeled):
    first, second = plan(
        settings={
            "supervised_noise": supervised,
            "student_noise": student,
            "labeled_noise": labeled,
        }
    )
    assert first.noise == (
        Noise(None, labeled, True) if supervised else Noise(None, None, False)
    )
    assert second.noise == (
        Noise("strong", labeled, True) if student else Noise(None, None, False)
    )


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("has_validation", [True, False])
def test_phases_after_the_first_may_train_on_validation_images(
    learned, has_validation
):
    phases = plan(
        has_validation=has_validation,
        settings={"train_on_validation": learned},
        baseline=True,
        waterfall=True,
    )
    expected = learned and has_validation
    assert [phase.with_validation for phase in phases] == [
        False,
        *[expected] * 4,
    ]


def test_high_resolution_comes_last():
    settings = {"low_resolution": 0.5, "high_resolution_steps": 6}
    *phases, last = plan(2, settings=settings)
    assert last.title == "high resolution 2"
    assert (last.kind, last.steps) == ("high resolution", 6)
    assert last.noise == Noise(labeled="weak")
    assert not any(phase.full_resolution for phase in phases)
    # The baseline is compared with the result, which sees images as they are.
    *_, baseline = plan(settings=settings, baseline=True)
    assert last.full_resolution and baseline.full_resolution


def test_baseline_is_trained_as_long_on_labels_alone():
    *_, baseline = plan(2, baseline=True)
    assert baseline.title == "supervised, same budget"
    assert (baseline.kind, baseline.branch) == ("supervised", "baseline")
    assert (baseline.steps, baseline.as_long_as) == (17, "student")
    assert baseline.noise == Noise(None, "strong", True)
    assert baseline.patience is None
    assert titles(plan(linear_probe=True))[-1] == "linear probe"


def test_waterfall_adds_one_part_after_the_other():
    phases = plan(waterfall=True)
    assert titles(phases)[2:] == ["labels only", "+ augmentation"]
    nothing, augmented = phases[2:]
    assert nothing.noise == Noise()
    assert augmented.noise == Noise(labeled="strong")
    steps = waterfall_steps(phases)
    assert list(steps) == ["labels only", "+ augmentation", "+ pseudo-labels"]
    assert steps["+ pseudo-labels"] is phases[1]
    assert waterfall_steps(plan()) == {}


def test_waterfall_has_another_step_where_branches_are_dropped():
    phases = plan(2, settings={"stochastic_depth": 0.25}, waterfall=True)
    without = phases[5:]
    assert titles(without) == [
        "without model noise, supervised",
        "without model noise, noisy student 1",
        "without model noise, noisy student 2",
    ]
    for phase, other in zip(without, phases[:3], strict=True):
        assert not phase.noise.model and other.noise.model
        noise = dataclasses.replace(phase.noise, model=True)
        assert noise == other.noise
        assert phase.steps == other.steps
        assert phase.patience == other.patience
    steps = waterfall_steps(phases)
    assert list(steps)[2:] == ["+ pseudo-labels", "+ model noise"]
    assert steps["+ pseudo-labels"] is phases[-1]
    assert steps["+ model noise"] is phases[2]


def test_titles_are_different():
    settings = {"stochastic_depth": 0.25, "low_resolution": 0.5}
    phases = plan(
        3, settings=settings, baseline=True, linear_probe=True, waterfall=True
    )
    assert len(set(titles(phases))) == len(phases)


def test_costs_are_the_images_that_pass_through_models():
    costs = {
        phase.title: PHASE_KINDS[phase.kind].cost(phase, SETTINGS)
        for phase in plan(
            2,
            settings={"stochastic_depth": 0.25, "low_resolution": 0.5},
            baseline=True,
            linear_probe=True,
            waterfall=True,
        )
    }
    steps = SETTINGS.high_resolution_steps
    assert costs["supervised"] == 7 * 30
    assert costs["noisy student 2"] == 5 * (30 + 80)
    assert costs["high resolution 2"] == steps * 30
    assert costs["supervised, same budget"] == (17 + steps) * 30
    assert costs["without model noise, noisy student 1"] == 5 * 110
    assert costs["linear probe"] == 0
