import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.phases import (
    PHASE_KINDS,
    Noise,
    checked_callbacks,
)
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    PhaseBackup,
)

CALLBACK = keras.callbacks.TerminateOnNaN()
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
        layers={
            "noise": keras.layers.GaussianNoise(0.5),
            "weak_noise": keras.layers.GaussianNoise(0.25),
        },
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
        callbacks=lambda title: [callback],
    )
    PHASE_KINDS["supervised"].train(context, PhaseBackup(None))
    assert epochs == [4, 5]


def test_callbacks_are_a_list_or_made_for_each_phase():
    titles = []

    def callbacks(title):
        titles.append(title)
        return (CALLBACK,)

    assert checked_callbacks([CALLBACK], "first") == [CALLBACK]
    assert checked_callbacks(callbacks, "first") == [CALLBACK]
    assert checked_callbacks(None, "first") == []
    assert titles == ["first"]


def test_anything_else_is_refused():
    with pytest.raises(ValueError, match="`callbacks` must be a list of Keras"):
        checked_callbacks([CALLBACK, "history"], "first")
