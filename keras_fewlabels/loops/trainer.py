"""Trains the students of one task, each in a phase of its own."""

import dataclasses
import math

import keras

from keras_fewlabels.callbacks.print_progress import print_progress
from keras_fewlabels.loops.averaged_student import (
    AveragedStudent,
    SupervisedStudent,
)
from keras_fewlabels.loops.compile_like import compile_like
from keras_fewlabels.loops.feed import labeled_feed, mixed_feed
from keras_fewlabels.loops.finished_phases import FinishedPhases
from keras_fewlabels.loops.phase import run_phase
from keras_fewlabels.loops.phase_data import PhaseData
from keras_fewlabels.loops.task import Task
from keras_fewlabels.loops.views import strong_view, weak_view
from keras_fewlabels.models.add_stochastic_depth import add_stochastic_depth
from keras_fewlabels.models.copy_weights import copy_weights
from keras_fewlabels.models.ema_teacher import EMATeacher
from keras_fewlabels.policies.distribution_alignment import (
    DistributionAlignment,
)
from keras_fewlabels.policies.fixed_threshold import FixedThreshold


@dataclasses.dataclass(frozen=True)
class Trainer:
    """What the phases of a fit have in common.

    Args:
        task: `Task`.
        data: `PhaseData`.
        settings: Dict of all settings.
        phases: `FinishedPhases`.
        layers: Dict of what takes the place of the settings' own: `policy`,
            `noise`, `weak_noise`; `None` for those that do not.
        callbacks: List of Keras callbacks, or function of the name of a phase
            that returns one.
        verbose: As for `fit()`.
        prefix: String in front of the names of all phases.
    """

    task: Task
    data: PhaseData
    settings: dict
    phases: FinishedPhases | None
    layers: dict
    callbacks: object
    verbose: object
    prefix: str = ""

    def check(self, student):
        """Refuses what would only fail once a phase has begun.

        Args:
            student: Keras model as those to train.

        Raises:
            ValueError: If a setting does not fit the images or the model, or
                a callback is none.
        """
        for name in ("strong", "weak"):
            self._view(name)
        if self.settings["stochastic_depth"]:
            self._with_model_noise(student, True)
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
                self._with_model_noise(student, model_noise),
                self._view(image_noise),
                EMATeacher(self.settings["ema_decay"]),
            )
            compile_like(
                model,
                student,
                self.task,
                self.settings,
                num_steps,
                not patience,
            )
            return model

        feed = labeled_feed(
            self.data.labeled,
            self.settings["batch_size"],
            min(num_steps, self.settings["steps_per_epoch"]),
            self.data.seed,
        )
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

        def build(num_steps):
            model = AveragedStudent(
                self._with_model_noise(student, noisy),
                teacher,
                settings["ema_decay"],
                policy=self._policy(),
                noise=self._view("strong" if noisy else None),
                labeled_noise=self._view(
                    settings["labeled_view"] if noisy else None
                ),
                weak_noise=self._view("weak"),
                unlabeled_weight=settings["unlabeled_weight"],
            )
            compile_like(model, student, self.task, settings, num_steps)
            return model

        batch_size = settings["batch_size"]
        num_unlabeled = max(1, round(batch_size * settings["unlabeled_ratio"]))
        feed = mixed_feed(
            self.data.labeled,
            self.task.unlabeled,
            (batch_size, num_unlabeled),
            min(num_steps, settings["steps_per_epoch"]),
            self.data.seed,
            self.data.truth,
        )
        return self._run(name, student, build, feed, num_steps, first_epoch)

    def _run(
        self, name, student, build, feed, num_steps, first_epoch, patience=None
    ):
        name = self.prefix + name
        num_epochs = math.ceil(num_steps / feed.num_steps)

        def train(backup):
            at_most = "at most " if patience else ""
            if self.verbose:
                print_progress(
                    f"{name}: {at_most}{num_epochs} epochs of "
                    f"{feed.num_steps} steps"
                )
            model = build(num_epochs * feed.num_steps)
            details = run_phase(
                model,
                feed,
                (first_epoch, first_epoch + num_epochs),
                self.data,
                backup,
                patience,
                callbacks=self._callbacks_of(name),
                verbose=self.verbose,
            )
            return model.average.model, details

        return self.phases.run(name, student, train)

    def _callbacks_of(self, name):
        callbacks = self.callbacks
        if callable(callbacks):
            callbacks = callbacks(name)
        return _checked_callbacks(callbacks)

    def _with_model_noise(self, student, model_noise):
        rate = self.settings["stochastic_depth"]
        if not (model_noise and rate):
            copy = keras.models.clone_model(student)
            copy_weights(student, copy)
            return copy
        return add_stochastic_depth(student, rate, replace=True)

    def _view(self, name):
        """The layer that augments images, or `None` for none."""
        if name is None:
            return None
        given, build = {
            "strong": (self.layers["noise"], strong_view),
            "weak": (self.layers["weak_noise"], weak_view),
        }[name]
        if given is not None:
            return given
        return build(self.settings, self.task.value_range)

    def _policy(self):
        policy = self.layers["policy"]
        if policy is not None:
            # Each phase starts with a policy that has seen nothing.
            return type(policy).from_config(policy.get_config())
        return DistributionAlignment(
            FixedThreshold(
                self.settings["threshold"],
                soft=True,
                temperature=self.settings["temperature"],
            ),
            # The classes are taken to be as frequent as among the labels.
            prior=self.task.class_counts / self.task.class_counts.sum(),
            momentum=0.99,
        )


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
