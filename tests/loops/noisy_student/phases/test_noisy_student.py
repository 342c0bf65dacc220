import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.phases import PHASE_KINDS, Noise
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    AveragedStudent,
)
from keras_fewlabels.policies import FreeMatchPolicy

KIND = PHASE_KINDS["noisy student"]
NOISE = Noise(images="strong", labeled="strong", model=True)


@pytest.fixture
def model_of(small_phases):
    """A function: the model that a phase of a small student trains."""

    def model_of(student=None, teacher=None, noise=NOISE, **settings):
        phase = small_phases.phase("noisy student", 10, noise=noise)
        student = student or small_phases.build()
        context = small_phases.context(phase, student, teacher, **settings)
        return KIND.model(context, 12)

    return model_of


@pytest.mark.parametrize("has_teacher", [False, True])
def test_model(small_phases, model_of, rates, has_teacher):
    teacher = small_phases.build() if has_teacher else None
    model = model_of(
        teacher=teacher,
        stochastic_depth=0.25,
        ema_decay=0.75,
        unlabeled_weight=0.5,
    )
    assert isinstance(model, AveragedStudent)
    assert model.teacher is (teacher if has_teacher else model.average)
    assert model.average.decay == 0.75 and model.unlabeled_weight == 0.5
    assert small_phases.drop_rates(model.student) == [0.25]
    assert rates(model.optimizer, [12]) == pytest.approx([0.0], abs=1e-6)


def test_without_noise_the_images_of_the_teacher_still_have_theirs(
    small_phases, model_of
):
    model = model_of(noise=Noise(), stochastic_depth=0.25)
    assert small_phases.drop_rates(model.student) == []
    assert model.noise is None
    assert model.weak_noise is not None


def test_a_frozen_teacher_labels_clean_images(small_phases, model_of):
    teacher = small_phases.build()
    assert model_of(teacher=teacher).weak_noise is None
    layers = {"weak_noise": keras.layers.GaussianNoise(0.25)}
    model = model_of(teacher=teacher, layers=layers)
    assert model.weak_noise is layers["weak_noise"]


def test_layers_take_the_place_of_settings(small_phases, model_of):
    policy = FreeMatchPolicy(momentum=0.5)
    policy.build((None, 3))
    layers = {"policy": policy, **small_phases.quick_noise()}
    model = model_of(layers=layers)
    assert model.noise is layers["noise"]
    assert model.weak_noise is layers["weak_noise"]
    # A policy in its initial state.
    assert isinstance(model.policy, FreeMatchPolicy)
    assert model.policy is not policy
    assert model.policy.momentum == 0.5


@pytest.mark.parametrize("labeled", ["strong", "weak"])
def test_labelled_images_have_the_noise_of_the_phase(
    small_phases, model_of, labeled
):
    layers = small_phases.quick_noise()
    noise = Noise(images="strong", labeled=labeled)
    model = model_of(noise=noise, layers=layers)
    expected = layers["weak_noise" if labeled == "weak" else "noise"]
    assert (model.labeled_noise or model.noise) is expected
    assert model.noise is layers["noise"]


def test_student_and_teacher_see_small_images(small_phases, model_of):
    student, teacher = (small_phases.build_of_any_size() for _ in range(2))
    model = model_of(student, teacher, low_resolution=0.5)
    assert model.student.layers[1].height == 2
    assert model.teacher.layers[1].height == 2


@pytest.mark.parametrize(("ratio", "size"), [(2, 8), (0.01, 1)])
def test_batches_hold_at_least_one_unlabelled_image(small_phases, ratio, size):
    phase = small_phases.phase("noisy student", 10)
    context = small_phases.context(
        phase, small_phases.build(), unlabeled_ratio=ratio
    )
    images, labels = KIND.batches(context).order[0]
    assert len(images["labeled"]) == len(labels) == 4
    assert len(images["unlabeled"]) == size


def test_the_average_teaches_as_long_as_the_architecture_stays(small_phases):
    before = small_phases.build()
    settings = small_phases.recipe(before).settings

    def models(teacher, build):
        phase = small_phases.phase("noisy student", 10, teacher=teacher)
        return KIND.models(phase, before, build, settings)

    def same(generation):
        return small_phases.build()

    def other(generation):
        return small_phases.build_of_any_size()

    assert models("average", same) == (before, None)
    student, teacher = models("frozen", same)
    assert student is not before
    learned = [teacher]
    student, teacher = models("average", other)
    assert isinstance(student, keras.Sequential)
    learned.append(teacher)
    for teacher in learned:
        # It will be frozen, where an interrupted run returns the model before.
        assert teacher is not before
        for ours, theirs in zip(
            teacher.get_weights(), before.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_cost_counts_the_teacher_forward_only(small_phases):
    phase = small_phases.phase("noisy student", 10)
    settings = small_phases.recipe(small_phases.build()).settings
    assert KIND.cost(phase, settings) == (3 * 4 + 4 * 8) * 10
