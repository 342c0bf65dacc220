"""The user's callbacks for each phase of a run, checked before training."""

import keras
from keras.optimizers.schedules import LearningRateSchedule

from keras_fewlabels.callbacks import (
    ExactBackup,
    LearningRateFinder,
    PseudoLabeler,
)
from keras_fewlabels.foundation import compiled_learning_rate

_BACKUP = "pass `backup_dir`, which backs up all phases"
# Callbacks that would undo a part of the run, and what does their work.
_REFUSED = {
    keras.callbacks.BackupAndRestore: _BACKUP,
    ExactBackup: _BACKUP,
    keras.callbacks.SwapEMAWeights: (
        "leave it out, for every phase keeps an average of the weights "
        "already, with which it is validated and ends"
    ),
    LearningRateFinder: "call `find_learning_rate` on a compiled model before",
    PseudoLabeler: "leave it out, for the run makes pseudo-labels of its own",
}
if hasattr(keras.callbacks, "OrbaxCheckpoint"):
    _REFUSED[keras.callbacks.OrbaxCheckpoint] = (
        "use `keras.callbacks.ModelCheckpoint`, which saves the classifier"
    )
_SET_THE_RATE = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)


def callbacks_of_phases(callbacks, phases, model):
    """Returns the user's callbacks of each phase.

    Args:
        callbacks: List of Keras callbacks for all phases, or function of the
            title of a phase that returns one, or `None`.
        phases: List of `Phase`.
        model: Keras model, the student, whose optimizer is taken if it is
            compiled.

    Returns:
        Dict of the titles of the phases to lists.

    Raises:
        ValueError: If one of them is not a Keras callback, or is one that
            cannot work in a run of phases.
    """
    found = {}
    for phase in phases:
        chosen = callbacks(phase.title) if callable(callbacks) else callbacks
        found[phase.title] = keras.tree.flatten(
            [] if chosen is None else chosen
        )
        for callback in found[phase.title]:
            _check(callback, model)
    seen = [id(each) for chosen in found.values() for each in chosen]
    for callback in keras.tree.flatten(list(found.values())):
        if (
            isinstance(callback, keras.callbacks.CSVLogger)
            and not callback.append
            and seen.count(id(callback)) > 1
        ):
            raise ValueError(
                "A `CSVLogger` begins its file anew in each phase, so each "
                "phase needs a file of its own. Pass a function: `callbacks="
                'lambda phase: [keras.callbacks.CSVLogger(f"{phase}.csv")]`. '
                f"Received: one CSVLogger for {len(phases)} phases"
            )
    return found


def _check(callback, model):
    if not isinstance(callback, keras.callbacks.Callback):
        raise ValueError(
            "`callbacks` must be a list of Keras callbacks, or a function of "
            "the name of a phase that returns one. "
            f"Received: {callback!r} among them"
        )
    name = type(callback).__name__
    for kind, remedy in _REFUSED.items():
        if isinstance(callback, kind):
            raise ValueError(
                f"A `{kind.__name__}` cannot work in a run of several phases: "
                f"{remedy}. Received: {name} among the callbacks"
            )
    if isinstance(callback, _SET_THE_RATE) and (
        not model.compiled
        or isinstance(
            compiled_learning_rate(model.optimizer), LearningRateSchedule
        )
    ):
        raise ValueError(
            f"A `{name}` sets the learning rate, but here the rate follows a "
            "schedule. Compile the model in `build_student` with an optimizer "
            "whose learning rate is a number, or leave the callback out. "
            f"Received: {name} among the callbacks"
        )
