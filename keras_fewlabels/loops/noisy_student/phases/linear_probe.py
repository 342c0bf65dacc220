import time

import numpy as np

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.loops.noisy_student.measure import PseudoLabels
from keras_fewlabels.loops.noisy_student.phases.phase_kind import PhaseKind
from keras_fewlabels.loops.noisy_student.training.student_features import (
    head_of,
    set_head,
)


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
        seed = context.data.seed
        head, self_trained = self.head(classifier, seed)
        right = classifier.cross_validate(self_trained, seed)
        set_head(context.student, head)
        return {
            "epochs": 0,
            "steps": 0,
            "cross_validation": None if right is None else _accuracy(right),
            "temperature": classifier.temperature(self_trained, seed),
            "seconds": time.perf_counter() - started,
        }

    def head(self, classifier, seed):
        """Fits a head.

        Args:
            classifier: `FeatureClassifier`.
            seed: Int.

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


def pseudo_label_figures(context):
    """Returns what the report says of the pseudo-labels of a rung."""
    if not context.phase.with_unlabeled:
        return None
    features = context.features.of(context).unlabeled
    if not len(features):
        return None
    probabilities = head_of(context.student).probabilities(features)
    truth = context.data.truth
    ones = np.ones(len(features), "float32")
    return PseudoLabels(probabilities, probabilities, ones).figures(
        None if truth is None else truth[: len(features)]
    )


def _accuracy(right):
    return {"accuracy": float(np.mean(right)), "num_images": len(right)}


def _cross_entropy(probabilities, classes):
    of_truth = probabilities[np.arange(len(classes)), classes]
    return float(-np.mean(np.log(np.maximum(of_truth, 1e-7))))
