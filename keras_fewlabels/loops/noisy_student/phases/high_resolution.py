import math

from keras_fewlabels.callbacks.fine_tune import FineTune
from keras_fewlabels.loops.noisy_student.phases.supervised import Supervised
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    SupervisedStudent,
)
from keras_fewlabels.models.ema_teacher import EMATeacher

# The upper layers must not forget what they learned from all images.
_RATE_FACTOR = 0.1


class HighResolution(Supervised):
    """Trains the upper layers of a student on labelled images as they are.

    Reference:
        - [Touvron et al., 2019](https://arxiv.org/abs/1906.06423), FixRes.
    """

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
            model, context.student, num_steps, rate_factor=_RATE_FACTOR
        )
        return model

    def callbacks(self, model):
        num_layers = math.ceil(len(model.student.layers) / 2)
        return [FineTune(model.student, {0: num_layers})]
