import dataclasses

import numpy as np

from keras_fewlabels.callbacks.fine_tune import FineTune
from keras_fewlabels.data.batches import JoinedBatches
from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.data.sources import is_dataset
from keras_fewlabels.data.sources.some_rows import SomeRows
from keras_fewlabels.evaluation.frozen_features.head_kinds import kind_of
from keras_fewlabels.evaluation.frozen_features.temperature import (
    fit_temperature,
)
from keras_fewlabels.evaluation.verdicts import compare_precisions
from keras_fewlabels.foundation import backbone_of, batch_norms
from keras_fewlabels.loops.noisy_student.measure import (
    measure_probabilities,
    predict,
)
from keras_fewlabels.loops.noisy_student.phase_data import EpochBatches
from keras_fewlabels.loops.noisy_student.phases.heads import (
    is_worse,
    pseudo_label_figures,
)
from keras_fewlabels.loops.noisy_student.phases.phase_kind import ContinuedPhase
from keras_fewlabels.loops.noisy_student.phases.plan import (
    FEWEST_STEPS_ON_LABELS,
)
from keras_fewlabels.loops.noisy_student.training.student_head import (
    head_of,
    set_head,
)

# The labelled images in a batch that also has pseudo-labelled ones.
_LABELED_SHARE = 0.25
# The part of the pseudo-labels of each class that is left out: those that the
# student is least sure of, which are wrong most often. With a part of all
# classes together, after two rounds of about 150 steps, one run each, hands
# with 4 labels per class had 81.9 % without half of them and 75.4 without a
# tenth; waste with 10 had 69.7 and 70.6.
_LEAST_SURE = 0.5
# A shorter round may do harm: after 37 steps a network had 60 % on photographs
# of waste, where an SVM on its frozen features had 66 %.
_FEWEST_STEPS = 100
# Of the images of a dataset that are in memory.
_MAX_BYTES = 2**30
# The part of the layers that stay as they are, the first ones. With 4 labels
# per class and 300 s, one run each, the accuracy on test images and pool was
# 87.9 and 85.6 % on hands, 60.8 and 62.1 on waste, 72.7 and 69.9 on flowers.
# With all layers, whose steps take 1.3 to 1.5 times as long, it was 85.0 and
# 81.8, 58.2 and 58.2, 73.9 and 69.9. After as many steps all layers were
# better on hands with 10 labels, 87.9 and 89.5 against 86.3 and 88.3.
_FIRST_LAYERS = 0.25
# A training step beside a forward pass, per image.
_COST = 4


class FineTuning(ContinuedPhase):
    """Trains the upper layers, then fits the head anew.

    The layers learn the labels alone, or pseudo-labels as well: the student's
    own sharpened predictions, those of the surer half of each class, which
    stay the same for the whole round. They learn under noise, from the
    weights that they have. The first quarter of the layers with weights stays
    as it is: it sees edges and colours, which most images have in common, and
    it takes much of the time. Batch normalization keeps its statistics, as
    `FineTune` does.

    After labels alone the student gets the mean of its weights before and
    after, for few labels can tell less than the layers knew. With 4 labels per
    class, one run each, a head on the mean had 75.5 % on flowers and 75.2 on
    hands; without it 73.0 and 79.7; on the weights before 74.5 and 67.0.

    A head is then fitted to the new features of labelled and unlabelled
    images, and the student gets the mean of that head and its own.

    The layers before the head stay as they were if the validation images say
    that they were better, beyond a standard error: by accuracy, or by the mean
    average precision of several labels. Without validation images they stay
    if the student has not even learned its labels: if it is right about fewer
    of them than heads before were right about hidden ones. On other images it
    would be right less often still.

    The validation images also tell the temperature that calibrates the
    student. Without them, no label can tell how sure layers may be that have
    seen all labels. A student then has the temperature of a self-trained head
    on the features before any fine-tuning.

    Reference:
        - [Wortsman et al., 2021](https://arxiv.org/abs/2109.01903), WiSE-FT,
          the mean of weights before and after fine-tuning.
    """

    recalibrates = False

    def cost(self, phase, settings):
        per_step = _COST * settings.batch_size
        return float(per_step * phase.steps + phase.num_predicted)

    def fewest_steps(self, phase):
        if not phase.with_unlabeled:
            # A baseline has the steps of what it is compared with.
            return 1
        if phase.with_pseudo_labels:
            return _FEWEST_STEPS
        return FEWEST_STEPS_ON_LABELS

    def batches(self, context):
        labeled = context.data.labeled
        if context.recipe.settings.balanced:
            labeled = _as_often(*labeled)
        pool, targets = None, ()
        if context.phase.with_pseudo_labels:
            pool, targets = _pseudo_labeled(context)
        if not len(targets):
            data = dataclasses.replace(context.data, labeled=labeled)
            return super().batches(dataclasses.replace(context, data=data))
        size = context.recipe.settings.batch_size
        num_labeled = max(1, round(_LABELED_SHARE * size))
        batches = JoinedBatches(
            [
                (*labeled, num_labeled),
                (pool, targets, size - num_labeled),
            ],
            context.steps_per_epoch,
            context.data.seed,
        )
        return EpochBatches(
            batches.as_dataset(), context.steps_per_epoch, batches
        )

    def class_weights(self, context):
        return None  # The batches hold as many labels of each class.

    def callbacks(self, model):
        backbone = backbone_of(model.student) or model.student
        first = _first_layers(backbone)
        return [FineTune(backbone, {0: lambda layer: layer.name not in first})]

    def train(self, context, backup):
        if not context.phase.steps:
            return {"left_out": "there was no time for it"}
        student, validation = context.student, context.data.validation
        before = student.get_weights(), _predicted(context)
        # All images that choose a model are out of the training.
        data = dataclasses.replace(context.data, validation=None)
        details = super().train(dataclasses.replace(context, data=data), backup)
        is_on_labels = not context.phase.with_pseudo_labels
        if is_on_labels and context.phase.with_unlabeled:
            student.set_weights(_means(student.get_weights(), before[0]))
        if validation is None:
            undo = _has_not_learned(context)
        else:
            undo = _are_worse(context, before[1], _predicted(context))
        if undo:
            student.set_weights(before[0])
            details = {**details, "kept": "the layers as they were"}
        elif context.phase.with_unlabeled:
            own = head_of(student)
            fitted = context.features.classifier(context).self_train()
            set_head(student, own.mean_with(fitted))
        return {**details, "temperature": _temperature(context)}

    def measure(self, context):
        results = super().measure(context)
        return {**results, "pseudo_labels": pseudo_label_figures(context)}


def _first_layers(backbone):
    """Returns the names of the layers that stay as they are."""
    norms = batch_norms(backbone)
    names = [
        layer.name
        for layer in backbone.layers
        if layer.weights and layer not in norms
    ]
    return set(names[: int(_FIRST_LAYERS * len(names))])


def _as_often(images, labels):
    """Repeats labelled images until each class has as many."""
    classes = class_numbers(labels)
    most = np.bincount(classes).max()
    rows = np.concatenate(
        [
            np.resize(np.flatnonzero(classes == number), most)
            for number in np.unique(classes)
        ]
    )
    return images[rows], labels[rows]


def _pseudo_labeled(context):
    """Returns the surer half of the images of each class, with their labels.

    Foreign images are left out.
    """
    task = context.recipe.task
    found = context.features.of(context)
    features, images = found.unlabeled, task.unlabeled.images
    if is_dataset(images):
        # It is read in its order alone, so that its images must be kept.
        num_kept = _MAX_BYTES // task.sample[0].nbytes
        features = features[:num_kept]
        images = task.unlabeled.first(len(features))
    kind = kind_of(task.scores)
    predicted = head_of(context.student, kind).probabilities(features)
    targets = kind.sharpened(predicted)
    if not len(targets):
        return None, targets
    is_learned = context.features.is_learned(len(targets))
    if not is_learned.any():
        return None, targets[:0]
    chosen = np.flatnonzero(is_learned)
    are_surer = _are_surer(
        kind.confidence(targets[chosen]), kind.groups(targets[chosen])
    )
    chosen = chosen[are_surer]
    targets = task.scores.pseudo_labels(targets[chosen])
    rows = SomeRows(images, found.numbers[chosen])
    return rows, targets.astype(context.data.labeled[1].dtype)


def _are_surer(confidence, groups):
    """Returns which images of each group are the surer part, booleans."""
    least = np.empty_like(confidence)
    for number in np.unique(groups):
        of_group = groups == number
        least[of_group] = np.quantile(confidence[of_group], _LEAST_SURE)
    return confidence >= least


def _means(weights, others):
    return [
        (ours + theirs) / 2
        for ours, theirs in zip(weights, others, strict=True)
    ]


def _temperature(context):
    """Returns the temperature of a fine-tuned student, or `None`."""
    if context.data.validation is None:
        found = [
            result["self_trained_temperature"]
            for result in context.results
            if "self_trained_temperature" in result
        ]
        return found[-1] if found else None
    task, (_, labels) = context.recipe.task, context.data.validation
    kind = kind_of(task.scores)
    targets = task.scores.label_rows(labels, task.num_classes)
    return fit_temperature(kind.logits(_predicted(context)), targets, kind)


def _has_not_learned(context):
    """Returns whether a student knows less of its labels than heads before."""
    hidden = [
        result["cross_validation"]
        for result in context.results
        if result.get("cross_validation")
    ]
    if not hidden or not context.phase.with_unlabeled:
        return False
    figure = "accuracy"
    if context.recipe.settings.balanced:
        figure = "balanced_accuracy"
    scores = context.recipe.task.scores
    head = head_of(context.student, kind_of(scores))
    learned = measure_probabilities(
        head.probabilities(context.features.of(context).labeled),
        context.data.labeled[1],
        scores,
    )
    share, count = hidden[-1][figure], hidden[-1]["num_images"]
    # As if two images more were half right: none that is wrong is no proof.
    likely = (share * count + 1) / (count + 2)
    error = np.sqrt(likely * (1 - likely) / (count + 2))
    return bool(learned[figure] < likely - error)


def _predicted(context):
    """Returns the student's probabilities for validation images, or `None`."""
    if context.data.validation is None:
        return None
    images, _ = context.data.validation
    return predict(context.student, images, context.recipe.task.scores)


def _are_worse(context, before, after):
    """Returns whether predictions are worse than others beyond chance."""
    recipe, (_, labels) = context.recipe, context.data.validation
    if not recipe.task.scores.one_true:
        verdict = compare_precisions(before, after, labels)
        return verdict is not None and verdict.difference < -verdict.error
    classes, weights = class_numbers(labels), recipe.class_weights(labels)
    counts = 1 if weights is None else weights[classes]
    return is_worse(
        *(
            counts * (probabilities.argmax(axis=1) == classes)
            for probabilities in (before, after)
        )
    )
