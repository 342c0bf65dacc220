import numpy as np
import pytest

from keras_fewlabels.callbacks import FineTune
from keras_fewlabels.loops.noisy_student.phases import PHASE_KINDS, Noise
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    SupervisedStudent,
)
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    PhaseBackup,
)

KIND = PHASE_KINDS["supervised"]
HIGH_RESOLUTION = PHASE_KINDS["high resolution"]
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


def context_of(small_phases, steps, **settings):
    phase = small_phases.phase(
        "high resolution", steps, noise=Noise("weak"), full_resolution=True
    )
    return small_phases.context(
        phase,
        small_phases.build_of_any_size(),
        first_epoch=7,
        low_resolution=0.5,
        **settings,
    )


def test_trains_the_upper_layers_on_images_as_they_are(small_phases, rates):
    context = context_of(small_phases, 40, learning_rate=0.5)
    model = HIGH_RESOLUTION.model(context, 42)
    assert isinstance(model, SupervisedStudent)
    # No layer that shrinks images.
    assert len(model.student.layers) == len(context.student.layers)
    assert rates(model.optimizer, [2]) == pytest.approx([0.05])
    assert model.average.decay == pytest.approx(1 - 20 / 42)
    (fine_tune,) = HIGH_RESOLUTION.callbacks(model)
    assert isinstance(fine_tune, FineTune)
    assert fine_tune.backbone is model.student
    assert fine_tune.schedule == {0: 2}


def test_goes_on_with_the_model_before(small_phases):
    context = context_of(small_phases, 40)
    models = HIGH_RESOLUTION.models(context.phase, context.student, None, None)
    assert models == (context.student, None)


def test_the_lower_layers_stay_as_they_are(small_phases):
    context = context_of(small_phases, 6, layers=small_phases.quick_noise())
    convolution, _, head = context.student.layers
    start = [np.array(layer.get_weights()[0]) for layer in (convolution, head)]
    details = HIGH_RESOLUTION.train(context, PhaseBackup(None))
    assert (details["epochs"], details["steps"]) == (2, 6)
    np.testing.assert_array_equal(convolution.get_weights()[0], start[0])
    assert not np.array_equal(head.get_weights()[0], start[1])
