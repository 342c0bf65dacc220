"""Rungs that fit the head of a student, and leave its layers alone."""

import time

import numpy as np

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.evaluation.pool.class_shares import shares_by
from keras_fewlabels.evaluation.pool.pool_examination import most_foreign
from keras_fewlabels.loops.noisy_student.measure import PseudoLabels, examine
from keras_fewlabels.loops.noisy_student.phases.phase_kind import PhaseKind
from keras_fewlabels.loops.noisy_student.training.student_features import (
    head_of,
    set_head,
)

# Self-training is nearly always better, and few labels say little against it:
# on photographs a margin of 1 loses 0.7 points of its gain.
_MARGIN = 2.0
# The most foreign images that the report shows.
_NUM_FOREIGN, _FEWEST_FOREIGN, _SURELY_LIKE = 30, 10, 0.95


class LinearProbe(PhaseKind):
    """Fits the head of a student to features that are computed once.

    The features are the input of the model's last `Dense` layer, which gets
    the weights of a logistic regression. The other layers stay as they are.
    The temperature that calibrates it is found in a cross-validation on the
    labels.
    """

    def cost(self, phase, settings):
        return float(phase.num_predicted)

    def models(self, phase, model, build, settings):
        return model if model is not None else build(phase.generation), None

    def train(self, context, backup):
        started = time.perf_counter()
        classifier = context.features.classifier(context)
        data, seed = context.data, context.data.seed
        knows = context.recipe.task.layers_know_labels
        head, self_trained = self.head(classifier, seed, knows)
        right = temperature = examined = None
        if not knows:
            right = classifier.cross_validate(self_trained, seed)
            temperature = classifier.temperature(self_trained, seed)
        if right is not None and data.validation is None and data.test is None:
            # What else could tell which classes are hard?
            examined = examine(
                classifier.hidden_probabilities(self_trained, seed),
                data.labeled[1],
            )
        set_head(context.student, head)
        return {
            "epochs": 0,
            "steps": 0,
            "cross_validation": None if right is None else _accuracy(right),
            "examined": examined,
            "temperature": temperature,
            "seconds": time.perf_counter() - started,
        }

    def head(self, classifier, seed, layers_know_labels=False):
        """Fits a head.

        Args:
            classifier: `FeatureClassifier`.
            seed: Int.
            layers_know_labels: Boolean, as of `Task`.

        Returns:
            `LinearHead`, and whether it has learned from unlabelled images.
        """
        return classifier.probe(), False

    def measure(self, context):
        head = head_of(context.student)
        results = {}
        for split in ("validation", "test"):
            results[split] = None
            labeled = getattr(context.data, split)
            if labeled is not None:
                features = context.features.of_split(context, split)
                classes = class_numbers(labeled[1])
                probabilities = head.probabilities(features)
                results[split] = {
                    **_accuracy(probabilities.argmax(axis=1) == classes),
                    "loss": _cross_entropy(probabilities, classes),
                }
        figures = pseudo_label_figures(context)
        return {**results, "pseudo_labels": figures}


class SelfTraining(LinearProbe):
    """Fits the head of a student to labels and to its own pseudo-labels.

    The head of the linear probe is kept if it is better, beyond two standard
    errors, in the cross-validation of both on the labels.
    """

    def cost(self, phase, settings):
        return 0.0

    def train(self, context, backup):
        details = super().train(context, backup)
        if context.recipe.task.layers_know_labels:
            return details
        # That of later heads, which are all self-trained.
        classifier = context.features.classifier(context)
        temperature = classifier.temperature(True, context.data.seed)
        return {
            **details,
            "self_trained_temperature": temperature,
            "pool": _pool(context, classifier),
        }

    def head(self, classifier, seed, layers_know_labels=False):
        if layers_know_labels:
            return classifier.self_train(), True
        before = classifier.cross_validate(self_trained=False, seed=seed)
        after = classifier.cross_validate(self_trained=True, seed=seed)
        if after is not None and is_worse(before, after, _MARGIN):
            return classifier.probe(), False
        return classifier.self_train(), True


def _pool(context, classifier):
    """Returns what the report says of the pool, or `None` without images."""
    foreign = context.features.foreign
    if foreign is None:
        return None
    shares = None
    known = context.features.of(context).unlabeled[~foreign.is_foreign]
    if len(known):
        classes = class_numbers(context.data.labeled[1])
        shares = shares_by(classifier, known, classes, context.data.seed)
    return {
        "num_images": len(foreign.scores),
        "num_foreign": int(foreign.is_foreign.sum()),
        "foreign_share": foreign.share,
        "foreign_interval": foreign.interval,
        "most_foreign": _most_foreign(foreign),
        "class_shares": shares and shares.shares.tolist(),
        "class_intervals": shares and shares.intervals.tolist(),
    }


def _most_foreign(foreign):
    """Returns ten images at least, and more as far as they may be foreign."""
    order = most_foreign(foreign, _NUM_FOREIGN)
    return [
        {
            "index": int(index),
            "score": float(foreign.scores[index]),
            "weight": float(foreign.weights[index]),
        }
        for place, index in enumerate(order)
        if place < _FEWEST_FOREIGN or foreign.weights[index] < _SURELY_LIKE
    ]


def is_worse(before, after, margin=1.0):
    """Returns whether answers are worse than others beyond chance.

    Args:
        before: Boolean array, for each image whether the answer is right.
        after: The same for the other answers.
        margin: Float, the standard errors that the difference must exceed.
    """
    difference = after.astype("float64") - before
    if len(difference) < 2:
        return False
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    # One image is no evidence: there both are the same, but for rounding.
    return bool(difference.mean() < -margin * error - 1e-9)


def pseudo_label_figures(context):
    """Returns what the report says of the pseudo-labels of a rung."""
    if not context.phase.with_unlabeled:
        return None
    features = context.features.of(context).unlabeled
    if not len(features):
        return None
    probabilities = head_of(context.student).probabilities(features)
    truth = context.data.truth
    weights = context.features.is_learned(len(features)).astype("float32")
    return PseudoLabels(probabilities, probabilities, weights).figures(
        None if truth is None else truth[: len(features)]
    )


def _accuracy(right):
    return {"accuracy": float(np.mean(right)), "num_images": len(right)}


def _cross_entropy(probabilities, classes):
    of_truth = probabilities[np.arange(len(classes)), classes]
    return float(-np.mean(np.log(np.maximum(of_truth, 1e-7))))
