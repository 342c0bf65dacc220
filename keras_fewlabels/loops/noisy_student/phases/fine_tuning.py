import dataclasses

import keras
import numpy as np

from keras_fewlabels.callbacks.fine_tune import FineTune
from keras_fewlabels.data.batches import JoinedBatches
from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.data.sources import is_dataset
from keras_fewlabels.loops.frozen_features.self_training import sharpened
from keras_fewlabels.loops.frozen_features.temperature import fit_temperature
from keras_fewlabels.loops.noisy_student.measure import predict
from keras_fewlabels.loops.noisy_student.phase_data import EpochBatches
from keras_fewlabels.loops.noisy_student.phases.linear_probe import (
    pseudo_label_figures,
)
from keras_fewlabels.loops.noisy_student.phases.phase_kind import FittedPhase
from keras_fewlabels.loops.noisy_student.phases.self_training import is_worse
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    SupervisedStudent,
)
from keras_fewlabels.loops.noisy_student.training.student_features import (
    head_of,
    set_head,
)
from keras_fewlabels.models.ema_teacher import EMATeacher

# The labelled images in a batch that also has pseudo-labelled ones.
_LABELED_SHARE = 0.25
# The pseudo-labels that are left out, those the student is least sure of.
_LEAST_SURE = 0.1
# In fewer steps a network forgets more than it learns.
_FEWEST_STEPS = 20
# A training step beside a forward pass, per image.
_COST = 4


class FineTuning(FittedPhase):
    """Trains all layers, then fits the head anew.

    The layers learn the labels alone, or pseudo-labels as well: the student's
    own sharpened predictions for the images and their mirror images, which
    stay the same for the whole round. They learn under noise, from the
    weights that they have. Batch normalization keeps its statistics, as
    `FineTune` does.

    A head is then fitted to the new features of labelled and unlabelled
    images. After pseudo-labels the student gets the mean of that head and its
    own. A head that has learned the labels alone is worse, and is replaced.

    The layers before the head stay as they were if the validation images say
    that they were better, beyond a standard error. The same images tell the
    temperature that calibrates the student. Without them there is none: the
    layers have seen all labels, so that no label can tell how sure they may
    be of other images.
    """

    recalibrates = False

    def cost(self, phase, settings):
        per_step = _COST * settings.batch_size
        return float(per_step * phase.steps + phase.num_predicted)

    def models(self, phase, model, build, settings):
        return model, None

    def batches(self, context):
        images, labels = context.data.labeled
        size = context.recipe.settings.batch_size
        parts = [(images, labels, size)]
        if context.phase.with_pseudo_labels:
            pool, targets = _pseudo_labeled(context)
            if len(targets):
                num_labeled = max(1, round(_LABELED_SHARE * size))
                parts = [
                    (images, labels, num_labeled),
                    (pool, targets, size - num_labeled),
                ]
        batches = JoinedBatches(
            parts, context.steps_per_epoch, context.data.seed
        )
        return EpochBatches(
            batches.as_dataset(), context.steps_per_epoch, batches
        )

    def model(self, context, num_steps):
        recipe, phase = context.recipe, context.phase
        model = SupervisedStudent(
            recipe.copy_of(context.student, phase.noise.model),
            recipe.augmentation(phase.noise.labeled),
            EMATeacher(max(0.0, 1 - 20 / num_steps)),
        )
        recipe.compile(model, context.student, num_steps)
        return model

    def callbacks(self, model):
        return [FineTune(model.student, {0: "all"})]

    def train(self, context, backup):
        if context.phase.steps < _FEWEST_STEPS:
            return {"left_out": "there was no time for it"}
        student, validation = context.student, context.data.validation
        before = student.get_weights(), _right(context, validation)
        # All images that choose a model are out of the training.
        data = dataclasses.replace(context.data, validation=None)
        details = super().train(dataclasses.replace(context, data=data), backup)
        if validation is not None and is_worse(
            before[1], _right(context, validation)
        ):
            student.set_weights(before[0])
            details = {**details, "kept": "the layers as they were"}
        elif context.phase.with_unlabeled:
            head = context.features.classifier(context).self_train()
            if context.phase.with_pseudo_labels:
                head = head.mean_with(head_of(student))
            set_head(student, head)
        return {**details, "temperature": _temperature(context)}

    def measure(self, context):
        results = super().measure(context)
        return {**results, "pseudo_labels": pseudo_label_figures(context)}


def _pseudo_labeled(context):
    """Returns the surer part of the unlabelled images, with their labels."""
    task = context.recipe.task
    features = context.features.of(context).unlabeled
    targets = sharpened(head_of(context.student).probabilities(features))
    if not len(targets):
        return None, targets
    sure = targets.max(axis=1)
    chosen = np.flatnonzero(sure >= np.quantile(sure, _LEAST_SURE))
    images = task.unlabeled.images
    if is_dataset(images):
        images = task.unlabeled.first(len(features))
    targets = targets[chosen].astype("float32")
    if task.sparse:
        targets = targets.argmax(axis=1)
    return _Rows(images, chosen), targets.astype(context.data.labeled[1].dtype)


class _Rows:
    """Some of the rows of an array, which are read when they are due."""

    def __init__(self, rows, numbers):
        self._rows, self._numbers = rows, numbers

    def __len__(self):
        return len(self._numbers)

    def __getitem__(self, numbers):
        return np.asarray(self._rows[self._numbers[numbers]])


def _temperature(context):
    """Returns the temperature that the validation images tell, or `None`."""
    if context.data.validation is None:
        return None
    images, labels = context.data.validation
    task = context.recipe.task
    probabilities = predict(context.student, images, task.from_logits)
    targets = keras.utils.to_categorical(
        class_numbers(labels), task.num_classes
    )
    return fit_temperature(np.log(np.maximum(probabilities, 1e-12)), targets)


def _right(context, labeled):
    if labeled is None:
        return None
    images, labels = labeled
    probabilities = predict(
        context.student, images, context.recipe.task.from_logits
    )
    return probabilities.argmax(axis=1) == class_numbers(labels)
