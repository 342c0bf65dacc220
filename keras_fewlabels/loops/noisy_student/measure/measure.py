"""Figures of a model for the report: accuracy and pseudo-labels."""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.mean_average_precision import (
    mean_average_precision,
)
from keras_fewlabels.foundation import batch_size_for, predict_array
from keras_fewlabels.policies.parts import ClassScores


def predict_outputs(model, images):
    """Returns the outputs of a model for images, a NumPy array or several.

    Args:
        model: Keras model.
        images: Array, or `ImageFiles`, which are read piece by piece.
    """
    batch_size = batch_size_for(images.shape[1:])
    pieces = [images]
    if isinstance(images, ImageFiles):
        pieces = image_source(images).pieces_to_predict(batch_size)
    outputs = [predict_array(model, piece, batch_size) for piece in pieces]
    return keras.tree.map_structure(
        lambda *parts: np.concatenate(parts), *outputs
    )


def predict(model, images, scores):
    """Returns the class probabilities of images, a NumPy array.

    Args:
        model: Keras classifier.
        images: Array, or `ImageFiles`.
        scores: `ClassScores`, the kind of scores of the model.
    """
    outputs = predict_outputs(model, images)
    return ops.convert_to_numpy(scores.probabilities(outputs))


def measure_accuracy(model, labeled, scores):
    """Measures accuracy and cross-entropy of a model.

    Args:
        model: Keras classifier.
        labeled: Pair of arrays, images and labels, or `None`. The images may
            be `ImageFiles`, which are read in batches.
        scores: `ClassScores`, the kind of scores of the model.

    Returns:
        Dict of `accuracies`, or of `accuracies_of_decisions` if several
        labels may be true of an image; or `None`.
    """
    if labeled is None:
        return None
    images, labels = labeled
    return measure_probabilities(predict(model, images, scores), labels, scores)


def measure_probabilities(probabilities, labels, scores):
    """Measures accuracy and cross-entropy of predictions.

    Args:
        probabilities: Array of shape `(num_images, num_classes)`.
        labels: Class numbers or rows of the same images.
        scores: `ClassScores`, the kind of scores of the model.

    Returns:
        Dict of `accuracies`, or of `accuracies_of_decisions` if several
        labels may be true of an image.
    """
    measure = accuracies if scores.one_true else accuracies_of_decisions
    return measure(probabilities, scores.as_decisions(labels))


def accuracies(probabilities, classes):
    """Returns accuracy and cross-entropy of predictions.

    Args:
        probabilities: Array of shape `(num_images, num_classes)`.
        classes: Int array of shape `(num_images,)`, the true classes.

    Returns:
        Dict of `accuracy` and `balanced_accuracy`, the mean recall of the
        classes that have images, in [0, 1]; `loss` and `num_images`.
    """
    right = probabilities.argmax(axis=1) == classes
    counts = np.bincount(classes)
    recalls = np.bincount(classes, right) / np.maximum(counts, 1)
    of_truth = probabilities[np.arange(len(classes)), classes]
    return {
        "accuracy": float(np.mean(right)),
        "balanced_accuracy": float(np.mean(recalls[counts > 0])),
        "loss": float(-np.mean(np.log(np.maximum(of_truth, 1e-7)))),
        "num_images": len(classes),
    }


def accuracies_of_decisions(probabilities, truth):
    """Returns accuracy and cross-entropy of decisions on several labels.

    Args:
        probabilities: Array of shape `(num_images, num_labels)`.
        truth: Array of 0 and 1 likewise.

    Returns:
        Dict of `accuracy`, the share of the decisions that are right, with
        its `deviation` among images; `mean_average_precision`, which may be
        `None`; `loss`; and `num_images`.
    """
    of_image = np.mean((probabilities > 0.5) == truth, axis=1)
    of_truth = np.where(truth, probabilities, 1 - probabilities)
    return {
        "accuracy": float(of_image.mean()),
        "deviation": float(of_image.std()),
        "mean_average_precision": mean_average_precision(probabilities, truth),
        "loss": float(-np.mean(np.log(np.maximum(of_truth, 1e-7)))),
        "num_images": len(truth),
    }


@dataclasses.dataclass(frozen=True)
class Labeler:
    """A model and the policy that it was trained with.

    Args:
        model: Keras classifier.
        scores: `ClassScores`, the kind of scores of the model.
        policy: Policy with its state at the end of the training, or `None`
            if the model was trained on labels alone.
        labeled_images: Array of the images whose labels were trained on.
    """

    model: keras.Model
    scores: ClassScores
    policy: keras.layers.Layer | None
    labeled_images: np.ndarray

    def __call__(self, pieces, numbers=None):
        """Labels unlabelled images.

        Args:
            pieces: Iterable of arrays, the unlabelled images in their order.
            numbers: Optional int array, the numbers of these images, which
                the policy gets. By default they begin at 0.

        Returns:
            `PseudoLabels`.
        """
        labeled_probabilities = None
        if self.policy is not None:
            labeled_probabilities = self._predict(self.labeled_images)
        columns, start = [], 0
        for images in pieces:
            probabilities = self._predict(images)
            indices = np.arange(start, start + len(images), dtype="int32")
            start += len(images)
            if numbers is not None:
                indices = numbers[indices].astype("int32")
            targets, weights = (None, None)
            if self.policy is not None:
                targets, weights = self.scores.judge(
                    self.policy,
                    ops.convert_to_tensor(probabilities),
                    training=False,
                    indices=ops.convert_to_tensor(indices),
                    labeled_probabilities=ops.convert_to_tensor(
                        labeled_probabilities
                    ),
                )
            columns.append((probabilities, targets, weights))
        parts = map(_joined, zip(*columns, strict=True))
        return PseudoLabels(*parts, scores=self.scores)

    def _predict(self, images):
        return predict(self.model, images, self.scores)


@dataclasses.dataclass(frozen=True)
class PseudoLabels:
    """The pseudo-labels of a model for unlabelled images, in their order.

    Args:
        probabilities: Float array of shape `(num_images, num_classes)`, what
            the model predicts.
        targets: Float array likewise, what the policy makes a student learn;
            or `None` without a policy.
        weights: Float array of shape `(num_images,)`, how much each image
            counts in the loss, or `(num_images, num_classes)` if several
            labels may be true; or `None`.
        scores: `ClassScores`, the kind of scores of the model.
    """

    probabilities: np.ndarray
    targets: np.ndarray | None
    weights: np.ndarray | None
    scores: ClassScores = dataclasses.field(
        default_factory=lambda: ClassScores(False)
    )

    def figures(self, truth=None):
        """Returns the figures of the report, as `NoisyStudentModel` logs them.

        Args:
            truth: Optional int array, the true classes of these images, or
                rows of 0 and 1.

        Returns:
            Dict of `mask_ratio`, the mean weight; `confidence`, the mean
            highest probability; `class_shares`, the shares of the classes in
            the targets; and `accuracy` of the targets, or `None` if it is
            unknown. The last two count each image with its weight. `None` if
            there is no policy.
        """
        if self.weights is None:
            return None
        weights = self.weights
        accuracy = None
        if truth is not None and weights.any():
            is_right = self.scores.are_right(self.targets, truth)
            is_right = ops.convert_to_numpy(is_right)
            accuracy = float((weights * is_right).sum() / weights.sum())
        columns = weights if weights.ndim == 2 else weights[:, None]
        shares = (self.targets * columns).sum(axis=0)
        shares = shares / max(float(shares.sum()), 1e-7)
        confidence = self.scores.confidence(self.probabilities)
        return {
            "mask_ratio": float(weights.mean()),
            "confidence": float(ops.convert_to_numpy(ops.mean(confidence))),
            "class_shares": shares.tolist(),
            "accuracy": accuracy,
        }


def _joined(parts):
    if parts[0] is None:
        return None
    return np.concatenate([ops.convert_to_numpy(part) for part in parts])
