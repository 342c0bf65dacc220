from keras_fewlabels.loops.noisy_student.phase_data import labeled_batches
from keras_fewlabels.loops.noisy_student.phases.phase_kind import FittedPhase
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

    def batches(self, context):
        return labeled_batches(
            context.data.labeled,
            context.recipe.settings.batch_size,
            context.steps_per_epoch,
            context.data.seed,
        )

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
