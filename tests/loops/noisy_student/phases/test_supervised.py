import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.phases import PHASE_KINDS, Noise
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    SupervisedStudent,
)

KIND = PHASE_KINDS["supervised"]
NOISE = Noise(images="strong", labeled="strong", model=True)


def test_starts_from_a_copy_of_the_student_under_noise(small_phases, rates):
    student = small_phases.build()
    phase = small_phases.phase("supervised", 100, noise=NOISE, patience=7)
    context = small_phases.context(
        phase, student, stochastic_depth=0.25, learning_rate=0.5
    )
    model = KIND.model(context, 102)
    assert isinstance(model, SupervisedStudent)
    for ours, theirs in zip(
        model.student.get_weights(), student.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert small_phases.drop_rates(model.student) == [0.25]
    assert small_phases.drop_rates(student) == []
    assert model.noise is not None
    # With patience the rate is constant after a warm-up over five steps.
    found = rates(model.optimizer, [0, 5, 50, 102])
    assert found == pytest.approx([0.005, 0.5, 0.5, 0.5])


def test_without_noise_and_patience(small_phases, rates):
    student = small_phases.build()
    phase = small_phases.phase("supervised", 102)
    context = small_phases.context(
        phase, student, stochastic_depth=0.25, learning_rate=0.5
    )
    model = KIND.model(context, 102)
    assert small_phases.drop_rates(model.student) == []
    assert model.noise is None
    found = rates(model.optimizer, [0, 5, 102])
    assert found == pytest.approx([0.005, 0.5, 0.0], abs=1e-6)


def test_batches_hold_labelled_images_alone(small_phases):
    phase = small_phases.phase("supervised", 11)
    # Epochs of 5 steps would make 15 of 11, which is another budget.
    context = small_phases.context(
        phase, small_phases.build(), steps_per_epoch=5
    )
    batches = KIND.batches(context)
    assert batches.num_steps == 4
    images, labels = batches.order[0]
    assert images.shape == (4, 4, 4, 1) and len(labels) == 4


def test_a_short_phase_has_one_short_epoch(small_phases):
    phase = small_phases.phase("supervised", 2)
    context = small_phases.context(phase, small_phases.build())
    assert KIND.batches(context).num_steps == 2


@pytest.mark.parametrize(
    ("student_steps", "decay"), [(100, 0.9), (1000, 0.98), (100_000, 0.9995)]
)
def test_average_looks_back_over_a_part_of_the_steps(
    small_phases, student_steps, decay
):
    phase = small_phases.phase("supervised", 2)
    context = small_phases.context(
        phase, small_phases.build(), student_steps=student_steps
    )
    average = KIND.model(context, 2).average
    assert average.decay == pytest.approx(decay)


def test_cost_is_a_pass_forward_and_two_for_the_way_back(small_phases):
    phase = small_phases.phase("supervised", 7)
    settings = small_phases.recipe(small_phases.build()).settings
    assert KIND.cost(phase, settings) == 3 * 4 * 7
