"""Students that are evaluated by the average of their weights."""

import keras

from keras_fewlabels.foundation import (
    MultiWorkerFixes,
    flatten_layers,
    has_layers,
    has_stepped,
)
from keras_fewlabels.models.copy_model import copy_model
from keras_fewlabels.models.copy_weights import copy_weights
from keras_fewlabels.models.ema_teacher import EMATeacher
from keras_fewlabels.models.noisy_student_model import NoisyStudentModel
from keras_fewlabels.models.student.after_train_step import after_train_step
from keras_fewlabels.models.student.guard_rails import GuardRails
from keras_fewlabels.models.student.student_model import is_mixed
from keras_fewlabels.models.student.warm_up_statistics import (
    WarmUpStatistics,
)


class SavesAverage(keras.Model):
    """A model that is saved as what a phase ends with: a classifier.

    `ModelCheckpoint` calls `save` and `save_weights`. The files hold the
    average alone, as a model like the student, without the state of the
    phase. `PhaseBackup` stores that.
    """

    def save(self, *args, **kwargs):
        return self._classifier().save(*args, **kwargs)

    def save_weights(self, *args, **kwargs):
        return self._classifier().save_weights(*args, **kwargs)

    def export(self, *args, **kwargs):
        return self._classifier().export(*args, **kwargs)

    def _classifier(self):
        # A copy, because the average itself is frozen.
        classifier = copy_model(self.student)
        copy_weights(self.average.model, classifier)
        return classifier


class SupervisedStudent(SavesAverage, MultiWorkerFixes, keras.Model):
    """Trains a student on labels alone, under noise.

    Evaluation and prediction are those of the average, with which a phase
    ends. The logs of training are the student's.

    Args:
        student: Built Keras model.
        noise: Layer that augments the images in training, or `None`.
        average: `EMATeacher`, which follows the student.
    """

    def __init__(self, student, noise, average):
        # The student and the noise cast their inputs themselves.
        super().__init__(autocast=False)
        average.follow(student)
        self.student = student
        self.noise = noise
        self.average = average
        self.warm_up = WarmUpStatistics(student)
        # The `id` of each weight that a step may have changed.
        self._changed = frozenset()
        self.built = True

    def call(self, images, training=None):
        if not training:
            return self.average.model(images, training=False)
        if self.noise is not None:
            images = self.noise(images, training=True)
        with self.warm_up.momentums():
            return self.student(images, training=True)

    def train_step(self, *args):
        result = super().train_step(*args)
        self._changed |= _not_frozen(self.student)
        return after_train_step(
            self,
            result,
            lambda: self.average.update(
                self.student, self._changed, has_stepped(self.optimizer)
            ),
        )

    def fit(self, *args, callbacks=(), **kwargs):
        return super().fit(
            *args, callbacks=[GuardRails(), *callbacks], **kwargs
        )


class AveragedStudent(SavesAverage, NoisyStudentModel):
    """A `NoisyStudentModel` that is evaluated by the average of its student.

    Args:
        student: Built Keras model.
        teacher: Frozen Keras model, or `None`, with which the average teaches.
        ema_decay: Float in `[0, 1)`, the decay of the average.
        **kwargs: As for `NoisyStudentModel`.
    """

    def __init__(self, student, teacher, ema_decay, **kwargs):
        average = EMATeacher(ema_decay)
        super().__init__(
            student, average if teacher is None else teacher, **kwargs
        )
        if teacher is not None:
            average.follow(student)
        self.average = average

    def call(self, inputs, training=None):
        if training or is_mixed(inputs):
            return super().call(inputs, training=training)
        return self.average.model(inputs, training=False)

    def train_step(self, *args):
        result = super().train_step(*args)
        if self.teacher is self.average:
            return result
        return after_train_step(
            self,
            result,
            lambda: self.average.update(
                self.student, has_stepped=has_stepped(self.optimizer)
            ),
        )


def _not_frozen(model):
    """Returns the `id` of each weight that is not one of a frozen layer."""
    frozen = [
        id(weight)
        for layer in flatten_layers(model)
        if not layer.trainable and not has_layers(layer)
        for weight in layer.weights
    ]
    return frozenset(map(id, model.weights)).difference(frozen)
