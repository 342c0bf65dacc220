"""Trains the students of one task, each in a phase of its own."""

import dataclasses
import math

import keras

from keras_fewlabels.callbacks.fine_tune import FineTune
from keras_fewlabels.loops.noisy_student.averaged_student import (
    AveragedStudent,
    SupervisedStudent,
)
from keras_fewlabels.loops.noisy_student.compile_like import compile_like
from keras_fewlabels.loops.noisy_student.finished_phases import FinishedPhases
from keras_fewlabels.loops.noisy_student.phase import run_phase
from keras_fewlabels.loops.noisy_student.phase_data import (
    PhaseData,
    labeled_feed,
    mixed_feed,
)
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.run_progress import RunProgress
from keras_fewlabels.models.ema_teacher import EMATeacher

# The last layers are not to forget what they learned from all images.
_HIGH_RESOLUTION_RATE = 0.1


@dataclasses.dataclass(frozen=True)
class Trainer:
    """What the phases of a fit have in common.

    Args:
        recipe: `Recipe`.
        data: `PhaseData`.
        phases: `FinishedPhases`.
        callbacks: List of Keras callbacks, or function of the name of a phase
            that returns one.
        progress: `RunProgress`.
        prefix: String in front of the names of all phases.
    """

    recipe: Recipe
    data: PhaseData
    phases: FinishedPhases | None
    callbacks: object
    progress: RunProgress | None
    prefix: str = ""

    @property
    def settings(self):
        """Dict of all settings."""
        return self.recipe.settings

    def check(self, student):
        """Refuses what would only fail once a phase has begun.

        Args:
            student: Keras model as those to train.

        Raises:
            ValueError: If a setting does not fit the images or the model, or
                a callback is none.
        """
        self.recipe.check(student)
        if not callable(self.callbacks):
            _checked_callbacks(self.callbacks)

    def supervised(
        self,
        name,
        student,
        num_steps,
        patience=None,
        image_noise="strong",
        model_noise=True,
        first_epoch=0,
    ):
        """Trains a student on labels alone.

        Args:
            name: String, the phase.
            student: New Keras model, which gets the weights.
            num_steps: Int, how many steps at most, in whole epochs.
            patience: Optional int. With it the learning rate is constant and
                the phase ends when the validation loss has settled; without
                it the rate falls to zero.
            image_noise: `"strong"`, `"weak"` or `None`.
            model_noise: Boolean, whether residual branches are dropped.
            first_epoch: Int; epochs are counted through all phases.

        Returns:
            Dict, what the report says of the phase.
        """

        def build(num_steps):
            model = SupervisedStudent(
                self.recipe.copy_of(student, model_noise),
                self.recipe.view(image_noise),
                EMATeacher(self.recipe.ema_decay),
            )
            compile_like(
                model,
                student,
                self.recipe.task,
                self.settings,
                num_steps,
                not patience,
            )
            return model

        feed = self._labeled_feed(num_steps)
        return self._run(
            name, student, build, feed, num_steps, first_epoch, patience
        )

    def noisy_student(
        self,
        name,
        student,
        num_steps,
        teacher=None,
        noisy=True,
        first_epoch=0,
    ):
        """Trains a student on labelled and unlabelled images.

        Args:
            name: String, the phase.
            student: Keras model with the weights to start from, which gets
                those that come out.
            num_steps: Int, in whole epochs.
            teacher: Frozen Keras model, or `None` for the student's average.
            noisy: Boolean, whether the student's images are augmented and its
                residual branches dropped.
            first_epoch: Int; epochs are counted through all phases.

        Returns:
            Dict, what the report says of the phase.
        """
        settings = self.settings
        if teacher is not None:
            teacher = self.recipe.seen_small(teacher)

        def build(num_steps):
            model = AveragedStudent(
                self.recipe.copy_of(student, noisy),
                teacher,
                self.recipe.ema_decay,
                policy=self.recipe.policy(),
                noise=self.recipe.view("strong" if noisy else None),
                labeled_noise=self.recipe.view(
                    settings["labeled_view"] if noisy else None
                ),
                weak_noise=self.recipe.teacher_view(teacher is not None),
                unlabeled_weight=settings["unlabeled_weight"],
            )
            compile_like(model, student, self.recipe.task, settings, num_steps)
            return model

        batch_size = settings["batch_size"]
        num_unlabeled = max(1, round(batch_size * settings["unlabeled_ratio"]))
        feed = mixed_feed(
            self.data.labeled,
            self.recipe.task.unlabeled,
            (batch_size, num_unlabeled),
            self._steps_per_epoch(num_steps),
            self.data.seed,
            self.data.truth,
        )
        return self._run(name, student, build, feed, num_steps, first_epoch)

    def high_resolution(self, name, student, num_steps, first_epoch):
        """Trains the upper layers of a student on images as they are.

        Reference:
            - [Touvron et al., 2019](https://arxiv.org/abs/1906.06423), FixRes.

        Args:
            name: String, the phase.
            student: Keras model that was trained on smaller images.
            num_steps: Int, in whole epochs.
            first_epoch: Int; epochs are counted through all phases.

        Returns:
            Dict, what the report says of the phase.
        """
        recipe = self.recipe.at_full_resolution()
        rate = self.settings["learning_rate"] * _HIGH_RESOLUTION_RATE

        def build(num_steps):
            model = SupervisedStudent(
                recipe.copy_of(student, False),
                recipe.view("weak"),
                EMATeacher(max(0.0, 1 - 20 / num_steps)),
            )
            settings = {**recipe.settings, "learning_rate": rate}
            compile_like(model, student, recipe.task, settings, num_steps)
            return model

        def freeze_shallow_layers(model):
            num_layers = math.ceil(len(model.student.layers) / 2)
            return [FineTune(model.student, {0: num_layers})]

        return self._run(
            name,
            student,
            build,
            self._labeled_feed(num_steps),
            num_steps,
            first_epoch,
            callbacks_of=freeze_shallow_layers,
        )

    def _steps_per_epoch(self, num_steps):
        """At most as set, such that whole epochs come near to `num_steps`."""
        num_epochs = math.ceil(num_steps / self.settings["steps_per_epoch"])
        return math.ceil(num_steps / num_epochs)

    def _labeled_feed(self, num_steps):
        return labeled_feed(
            self.data.labeled,
            self.settings["batch_size"],
            self._steps_per_epoch(num_steps),
            self.data.seed,
        )

    def _run(
        self,
        name,
        student,
        build,
        feed,
        num_steps,
        first_epoch,
        patience=None,
        callbacks_of=lambda model: [],
    ):
        name = self.prefix + name
        num_epochs = math.ceil(num_steps / feed.num_steps)
        epochs = first_epoch, first_epoch + num_epochs

        def train(backup):
            model = build(num_epochs * feed.num_steps)
            callbacks = [
                self.progress.callback(name, epochs, feed.num_steps),
                *self._users_callbacks(name),
                *callbacks_of(model),
            ]
            details = run_phase(
                model, feed, epochs, self.data, backup, patience, callbacks
            )
            return model.average.model, details

        details = self.phases.run(name, student, train)
        self.progress.finish(name)
        return details

    def _users_callbacks(self, name):
        callbacks = self.callbacks
        if callable(callbacks):
            callbacks = callbacks(name)
        return _checked_callbacks(callbacks)


def _checked_callbacks(callbacks):
    callbacks = keras.tree.flatten(callbacks or [])
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(
                "`callbacks` must be a list of Keras callbacks, or a function "
                "of the name of a phase that returns one. "
                f"Received: {callback!r} among them"
            )
    return callbacks
