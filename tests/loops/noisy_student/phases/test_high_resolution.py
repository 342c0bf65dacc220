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

KIND = PHASE_KINDS["high resolution"]


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
    model = KIND.model(context, 42)
    assert isinstance(model, SupervisedStudent)
    # No layer that shrinks images.
    assert len(model.student.layers) == len(context.student.layers)
    assert rates(model.optimizer, [2]) == pytest.approx([0.05])
    assert model.average.decay == pytest.approx(1 - 20 / 42)
    (fine_tune,) = KIND.callbacks(model)
    assert isinstance(fine_tune, FineTune)
    assert fine_tune.backbone is model.student
    assert fine_tune.schedule == {0: 2}


def test_goes_on_with_the_model_before(small_phases):
    context = context_of(small_phases, 40)
    models = KIND.models(context.phase, context.student, None, None)
    assert models == (context.student, None)


def test_the_lower_layers_stay_as_they_are(small_phases):
    context = context_of(small_phases, 6)
    convolution, _, head = context.student.layers
    start = [np.array(layer.get_weights()[0]) for layer in (convolution, head)]
    details = KIND.train(context, PhaseBackup(None))
    assert (details["epochs"], details["steps"]) == (2, 6)
    np.testing.assert_array_equal(convolution.get_weights()[0], start[0])
    assert not np.array_equal(head.get_weights()[0], start[1])
