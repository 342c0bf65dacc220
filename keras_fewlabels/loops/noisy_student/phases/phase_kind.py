"""The base classes of all kinds of phases."""

import abc
import dataclasses
import math

import keras

from keras_fewlabels.loops.noisy_student.measure import (
    Labeler,
    measure_accuracy,
)
from keras_fewlabels.loops.noisy_student.phase_data import (
    PhaseData,
    labeled_batches,
)
from keras_fewlabels.loops.noisy_student.phases.phase import Phase
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    SupervisedStudent,
)
from keras_fewlabels.loops.noisy_student.training.fit_phase import fit_phase
from keras_fewlabels.loops.noisy_student.training.run_clock import RunClock
from keras_fewlabels.models.copy_weights import copy_weights
from keras_fewlabels.models.ema_teacher import EMATeacher


@dataclasses.dataclass(frozen=True)
class PhaseContext:
    """The model, data and settings that a phase is trained with.

    Args:
        phase: `Phase`.
        recipe: `Recipe`, for the resolution of the phase.
        data: `PhaseData`, with the labels of the phase.
        student: Keras model, which gets the weights that come out.
        teacher: Frozen Keras model, or `None`.
        policy: Policy in its initial state, or `None`.
        first_epoch: Int; epochs are counted through the phases of a branch.
        callbacks: The user's list of Keras callbacks for the phase.
        progress: `RunProgress`.
        clock: `RunClock`.
        features: `StudentFeatures`.
        seconds: Float, the seconds that the steps may take.
        end: Float, the seconds since the start of the run at which the
            training ends in any case.
        results: Sequence of dicts, the results of the phases before in its
            branch.
    """

    phase: Phase
    recipe: Recipe
    data: PhaseData
    student: keras.Model
    teacher: keras.Model | None
    policy: keras.layers.Layer | None
    first_epoch: int
    callbacks: list
    progress: object
    clock: RunClock = dataclasses.field(default_factory=RunClock)
    features: object = None
    seconds: float = math.inf
    end: float = math.inf
    results: tuple = ()

    @property
    def steps_per_epoch(self):
        """Int, at most as set, so that whole epochs come near to the steps."""
        per_epoch = self.recipe.settings.steps_per_epoch
        num_epochs = math.ceil(self.phase.steps / per_epoch)
        return math.ceil(self.phase.steps / num_epochs)


class PhaseKind:
    """A way to get from one model to the next.

    Derive a class from it, or from `FittedPhase`, and enter it into
    `PHASE_KINDS` to have another kind of phase.
    """

    # Whether a policy makes pseudo-labels of unlabelled images.
    has_policy = False
    # Whether the student gets new weights.
    trains = True

    def cost(self, phase, settings):
        """Returns how much there is to compute.

        Args:
            phase: `Phase`.
            settings: `Settings`.

        Returns:
            Float, the number of images that pass forward through a model. A
            pass backward counts as two.
        """
        return 3 * settings.batch_size * phase.steps

    def num_measured(self, data):
        """Returns how many images are predicted to measure the result.

        Args:
            data: `PhaseData`.
        """
        return 0

    def fewest_steps(self, phase):
        """Returns the steps below which a phase is better left out.

        Args:
            phase: `Phase`.

        Returns:
            Int. With 1 a phase is trained in any case.
        """
        return 1

    def models(self, phase, model, build, settings):
        """Returns the student to train, and its teacher.

        Args:
            phase: `Phase`.
            model: Keras model that the branch has trained so far, or `None`.
            build: Function of a generation that returns a new student. It is
                always initialized in the same way.
            settings: `Settings`.

        Returns:
            Two Keras models. The teacher may be `None`.
        """
        return build(phase.generation), None

    def train(self, context, backup):
        """Trains `context.student` in place.

        Args:
            context: `PhaseContext`.
            backup: `PhaseBackup`.

        Returns:
            Dict for JSON, for the report: `epochs`, `steps`, `seconds`, and
            what else there is. It is stored with the finished phase.
        """
        return {"epochs": 0, "steps": 0, "seconds": 0.0}

    def measure(self, context):
        """Measures the student after its training, for the report.

        Args:
            context: `PhaseContext`. Student and policy are those after the
                training.

        Returns:
            Dict for JSON of `validation`, `test` and `pseudo_labels`.
        """
        recipe, data = context.recipe, context.data
        task = recipe.task
        labeler = Labeler(
            recipe.at_training_resolution(context.student),
            task.scores,
            context.policy,
            data.labeled[0],
        )
        truth = data.truth
        figures = None
        if context.policy is not None:
            numbers = task.sample_numbers
            figures = labeler([task.sample], numbers).figures(
                None if truth is None else truth[numbers]
            )
        accuracies = {
            split: measure_accuracy(
                labeler.model, getattr(data, split), task.scores
            )
            for split in ("validation", "test")
        }
        return {**accuracies, "pseudo_labels": figures}


class FittedPhase(PhaseKind, abc.ABC):
    """A phase that fits a model with `fit()` and keeps its average."""

    # Whether statistics of batch normalization are calculated anew.
    recalibrates = True

    def batches(self, context):
        """Returns the `EpochBatches` to fit on, by default of the labels."""
        return labeled_batches(
            context.data.labeled,
            context.recipe.settings.batch_size,
            context.steps_per_epoch,
            context.data.seed,
        )

    def class_weights(self, context):
        """Returns the weights of the classes of labelled images, or `None`."""
        return context.recipe.class_weights(context.data.labeled[1])

    @abc.abstractmethod
    def model(self, context, num_steps):
        """Returns a compiled model with a `student` and an `average`."""

    def callbacks(self, model):
        """Returns the callbacks that this kind of phase needs."""
        return []

    def num_measured(self, data):
        count = 2 * len(data.clean_images) if self.recalibrates else 0
        splits = filter(None, (data.validation, data.test))
        return count + sum(len(labels) for _, labels in splits)

    def train(self, context, backup):
        batches = self.batches(context)
        num_epochs = math.ceil(context.phase.steps / batches.num_steps)
        epochs = context.first_epoch, context.first_epoch + num_epochs
        model = self.model(context, num_epochs * batches.num_steps)
        progress = context.progress.callback(
            context.phase.title, epochs, batches.num_steps
        )
        details = fit_phase(
            model,
            batches,
            epochs,
            context.data,
            context.recipe.task.scores,
            backup,
            context.phase.patience,
            [
                progress,
                *context.callbacks,
                *self.callbacks(model),
                *context.clock.callbacks(context.seconds, context.end, backup),
            ],
            self.recalibrates,
            self.class_weights(context),
        )
        copy_weights(model.average.model, context.student)
        return details


class ContinuedPhase(FittedPhase):
    """A phase that trains the student of the phase before on, with labels."""

    # By which the learning rate is multiplied.
    rate_factor = 1.0

    def models(self, phase, model, build, settings):
        return model, None

    def model(self, context, num_steps):
        recipe, phase = context.recipe, context.phase
        model = SupervisedStudent(
            recipe.copy_of(context.student, phase.noise.model),
            recipe.augmentation(phase.noise.labeled),
            EMATeacher(max(0.0, 1 - 20 / num_steps)),
        )
        recipe.compile(
            model, context.student, num_steps, rate_factor=self.rate_factor
        )
        return model
