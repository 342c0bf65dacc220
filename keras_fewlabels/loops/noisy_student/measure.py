"""Figures of a model for the report: accuracy, mistakes, pseudo-labels."""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.calibration import calibration
from keras_fewlabels.evaluation.class_recalls import class_recalls
from keras_fewlabels.foundation import trace_predict
from keras_fewlabels.loops.report.page import choose_examples
from keras_fewlabels.policies.parts import ClassScores

# Pixels of the images that pass through a model at once: more activations
# would need gigabytes.
_MAX_PIXELS = 2**21
_MAX_BATCH_SIZE = 256
# The most confident mistakes, as many as a page can show.
_NUM_MISTAKES = 20


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
    outputs = []
    for piece in pieces:
        trace_predict(model, piece)
        outputs.append(model.predict(piece, batch_size=batch_size, verbose=0))
    return keras.tree.map_structure(
        lambda *parts: np.concatenate(parts), *outputs
    )


def batch_size_for(image_shape):
    """Returns how many images a model predicts at once.

    Args:
        image_shape: Tuple `(height, width, channels)`.

    Returns:
        Int, 256 for images up to 90 px, 41 for those of 224 px.
    """
    height, width, _ = image_shape
    return int(np.clip(_MAX_PIXELS // (height * width), 1, _MAX_BATCH_SIZE))


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
        Dict of `accuracies`, or `None`.
    """
    if labeled is None:
        return None
    images, labels = labeled
    return accuracies(predict(model, images, scores), class_numbers(labels))


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


def examine(probabilities, labels):
    """Examines predictions for images that a model was not trained on.

    Args:
        probabilities: Array of shape `(num_images, num_classes)`.
        labels: Class numbers or one-hot rows.

    Returns:
        Dict for JSON: the results of `find_mistakes` and `class_recalls`;
        `examples`, those of `choose_examples`; and `calibration`, those of
        the function of that name.
    """
    mistakes = find_mistakes(probabilities, labels)
    examples = choose_examples(
        class_numbers(labels),
        probabilities.argmax(axis=1),
        probabilities.max(axis=1),
    )
    return {
        **mistakes,
        "examples": examples,
        **class_recalls(mistakes["confusion"]),
        "calibration": calibration(probabilities, labels),
    }


def find_mistakes(probabilities, labels):
    """Counts which classes are confused, and finds the surest mistakes.

    Args:
        probabilities: Array of shape `(num_images, num_classes)`.
        labels: Class numbers or one-hot rows.

    Returns:
        Dict for JSON: `confusion`, rows of counts per true class, with a
        column per predicted class; and `mistakes`, a list of dicts of
        `index`, `true`, `predicted` and `confidence`, the surest first.
    """
    labels = class_numbers(labels)
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    num_classes = probabilities.shape[1]
    confusion = np.zeros((num_classes, num_classes), int)
    np.add.at(confusion, (labels, predicted), 1)
    wrong = np.flatnonzero(predicted != labels)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return {
        "confusion": confusion.tolist(),
        "mistakes": [
            {
                "index": int(index),
                "true": int(labels[index]),
                "predicted": int(predicted[index]),
                "confidence": float(confidence[index]),
            }
            for index in surest[:_NUM_MISTAKES]
        ],
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

    def __call__(self, pieces):
        """Labels unlabelled images.

        Args:
            pieces: Iterable of arrays, the unlabelled images in their order,
                from the first one on.

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
            targets, weights = (None, None)
            if self.policy is not None:
                targets, weights = self.policy(
                    ops.convert_to_tensor(probabilities),
                    training=False,
                    indices=ops.convert_to_tensor(indices),
                    labeled_probabilities=ops.convert_to_tensor(
                        labeled_probabilities
                    ),
                )
            columns.append((probabilities, targets, weights))
        return PseudoLabels(*map(_joined, zip(*columns, strict=True)))

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
            counts in the loss; or `None`.
    """

    probabilities: np.ndarray
    targets: np.ndarray | None
    weights: np.ndarray | None

    def figures(self, truth=None):
        """Returns the figures of the report, as `NoisyStudentModel` logs them.

        Args:
            truth: Optional int array, the true classes of these images.

        Returns:
            Dict of `mask_ratio`, the mean weight; `confidence`, the mean
            highest probability; `class_shares`, the shares of the classes in
            the targets; and `accuracy` of the targets, or `None` if it is
            unknown. The last two count each image with its weight. `None` if
            there is no policy.
        """
        if self.weights is None:
            return None
        total = max(float(self.weights.sum()), 1e-7)
        shares = (self.targets * self.weights[:, None]).sum(axis=0) / total
        accuracy = None
        if truth is not None and self.weights.any():
            is_right = self.targets.argmax(axis=1) == truth
            accuracy = float((self.weights * is_right).sum() / total)
        return {
            "mask_ratio": float(self.weights.mean()),
            "confidence": float(self.probabilities.max(axis=1).mean()),
            "class_shares": shares.tolist(),
            "accuracy": accuracy,
        }


def _joined(parts):
    if parts[0] is None:
        return None
    return np.concatenate([ops.convert_to_numpy(part) for part in parts])
