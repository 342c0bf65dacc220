import dataclasses

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.phases import (
    PHASE_KINDS,
    Noise,
    Phase,
    PhaseKind,
)
from keras_fewlabels.loops.noisy_student.run import NoisyStudentRun
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    FinishedPhases,
    PhaseBackup,
)
from keras_fewlabels.loops.noisy_student.training.run_progress import (
    RunProgress,
)

NOISE = Noise(images="strong", labeled="strong", model=True)


@pytest.mark.filterwarnings("ignore:.*is taking over")
@pytest.mark.parametrize("kind", ["supervised", "noisy student"])
@pytest.mark.parametrize("loss", [None, "sparse_categorical_crossentropy"])
def test_training_changes_every_weight_of_the_student(small_phases, kind, loss):
    student = small_phases.build(loss)
    context = small_phases.context(
        small_phases.phase(kind, 6, noise=NOISE),
        student,
        callbacks=[keras.callbacks.History()],
        layers=small_phases.quick_noise(),
    )
    start = [np.array(part) for part in student.get_weights()]
    details = PHASE_KINDS[kind].train(context, PhaseBackup(None))
    assert (details["epochs"], details["steps"]) == (2, 6)
    assert not any(map(np.array_equal, start, student.get_weights()))
    results = PHASE_KINDS[kind].measure(context)
    assert 0 <= results["validation"]["accuracy"] <= 1
    assert results["test"] is None
    assert (results["pseudo_labels"] is None) == (kind == "supervised")


def test_epochs_are_counted_on(small_phases):
    epochs = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epochs.append(epoch)
    )
    context = small_phases.context(
        small_phases.phase("supervised", 6),
        small_phases.build(),
        first_epoch=4,
        callbacks=[callback],
    )
    PHASE_KINDS["supervised"].train(context, PhaseBackup(None))
    assert epochs == [4, 5]


def test_images_that_measure_a_phase(small_phases):
    phase = small_phases.phase("supervised", 3)
    data = small_phases.context(phase, small_phases.build()).data
    images, labels = data.labeled
    data = dataclasses.replace(data, test=(images[:5], labels[:5]))
    expected = len(data.validation[1]) + 5
    assert expected > 5
    assert PHASE_KINDS["fine-tuning"].num_measured(data) == expected
    # The statistics of batch normalization are calculated twice at most.
    expected += 2 * len(data.clean_images)
    assert PHASE_KINDS["supervised"].num_measured(data) == expected
    assert PHASE_KINDS["linear probe"].num_measured(data) == 0


class Halve(PhaseKind):
    """A kind of phase that a user may add: it halves all weights."""

    def cost(self, phase, settings):
        return 0.0

    def models(self, phase, model, build, settings):
        return model, None

    def train(self, context, backup):
        student = context.student
        student.set_weights([weight / 2 for weight in student.get_weights()])
        return {"epochs": 0, "steps": 1, "seconds": 0.0, "halved": True}

    def measure(self, context):
        largest = max(np.abs(w).max() for w in context.student.get_weights())
        return {"largest": float(largest)}


def test_a_new_kind_is_one_class_and_one_entry(small_phases, monkeypatch):
    monkeypatch.setitem(PHASE_KINDS, "halve", Halve())
    student = small_phases.build()
    recipe = small_phases.recipe(student)
    phases = [small_phases.phase("supervised", 3), Phase("half", "halve", 0)]
    run = NoisyStudentRun(
        lambda generation: student,
        recipe,
        divide(recipe.task, None, None, 0.5, seed=0),
        {phase.title: [] for phase in phases},
        FinishedPhases(None, lambda: ()),
        RunProgress(phases, recipe.settings, verbose=0),
    )
    run.run(phases[:1])
    trained = [np.array(weight) for weight in student.get_weights()]
    run.run(phases[1:])
    result = run.results["student"][1]
    assert (result["name"], result["halved"]) == ("half", True)
    assert result["largest"] == max(np.abs(w).max() for w in trained) / 2
    for weight, before in zip(
        run.models["student"].get_weights(), trained, strict=True
    ):
        np.testing.assert_array_equal(weight, before / 2)
