from keras_fewlabels.loops.noisy_student.phase_data import mixed_batches
from keras_fewlabels.loops.noisy_student.phases.phase_kind import FittedPhase
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    AveragedStudent,
)
from keras_fewlabels.models.copy_model import copy_model
from keras_fewlabels.models.copy_weights import have_same_weights


class NoisyStudentPhase(FittedPhase):
    """Trains a student on labelled and unlabelled images.

    With `teacher="average"` the student goes on from the model before, if the
    architecture is the same, and its own average is the teacher. Otherwise a
    new student learns from the model before, which is frozen.
    """

    has_policy = True

    def cost(self, phase, settings):
        # The teacher only passes forward.
        num_unlabeled = settings.batch_size * settings.unlabeled_ratio
        return super().cost(phase, settings) + 4 * num_unlabeled * phase.steps

    def models(self, phase, model, build, settings):
        student = build(phase.generation)
        if phase.teacher == "average" and have_same_weights(student, model):
            return model, None
        # The teacher is frozen, but a run that is interrupted returns the model
        # as it was.
        return student, copy_model(model)

    def batches(self, context):
        settings = context.recipe.settings
        num_unlabeled = round(settings.batch_size * settings.unlabeled_ratio)
        return mixed_batches(
            context.data.labeled,
            context.recipe.task.unlabeled.images,
            (settings.batch_size, max(1, num_unlabeled)),
            context.steps_per_epoch,
            context.data.seed,
            context.data.truth,
        )

    def model(self, context, num_steps):
        recipe, noise, teacher = (
            context.recipe,
            context.phase.noise,
            context.teacher,
        )
        if teacher is not None:
            teacher = recipe.at_training_resolution(teacher)
        model = AveragedStudent(
            recipe.copy_of(context.student, noise.model),
            teacher,
            recipe.ema_decay,
            policy=context.policy,
            noise=recipe.augmentation(noise.images),
            labeled_noise=recipe.augmentation(noise.labeled),
            weak_noise=recipe.augmentation_of_teacher(teacher is not None),
            unlabeled_weight=recipe.settings.unlabeled_weight,
        )
        recipe.compile(model, context.student, num_steps)
        return model
