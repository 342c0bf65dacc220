import math

from keras_fewlabels.callbacks.fine_tune import FineTune
from keras_fewlabels.loops.noisy_student.phases.phase_kind import (
    ContinuedPhase,
    FittedPhase,
)
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    SupervisedStudent,
)
from keras_fewlabels.models.ema_teacher import EMATeacher


class Supervised(FittedPhase):
    """Trains a new student on labelled images alone.

    With patience the learning rate is constant after its warm-up, and the
    phase ends when the validation loss has settled. Without, the rate falls
    to zero.
    """

    def model(self, context, num_steps):
        recipe, phase = context.recipe, context.phase
        model = SupervisedStudent(
            recipe.copy_of(context.student, phase.noise.model),
            recipe.augmentation(phase.noise.labeled),
            EMATeacher(recipe.ema_decay),
        )
        falls = phase.patience is None
        recipe.compile(model, context.student, num_steps, falls)
        return model


class HighResolution(ContinuedPhase):
    """Trains the upper layers of a student on labelled images as they are.

    Reference:
        - [Touvron et al., 2019](https://arxiv.org/abs/1906.06423), FixRes.
    """

    # The upper layers must not forget what they learned from all images.
    rate_factor = 0.1

    def callbacks(self, model):
        num_layers = math.ceil(len(model.student.layers) / 2)
        return [FineTune(model.student, {0: num_layers})]
