"""What a trained model gets wrong, and what it says of unlabelled images."""

import dataclasses

import numpy as np

from keras_fewlabels.data.checks.labels import class_numbers
from keras_fewlabels.data.sources.unlabeled_source import (
    is_dataset,
    unlabeled_source,
)
from keras_fewlabels.loops.noisy_student.score import predict

# So many mistakes can be looked at.
_SHOWN = 20
_BATCH_SIZE = 256


@dataclasses.dataclass(frozen=True)
class PoolLabels:
    """What a model says of the unlabelled images, in their order.

    Args:
        labels: Int array of shape `(num_unlabeled,)`.
        confidence: Float array likewise, the probability of that label.
        files: Optional sequence of as many paths.
    """

    labels: np.ndarray
    confidence: np.ndarray
    files: object = None


def find_mistakes(probabilities, labels):
    """Which classes are taken for which, and the mistakes made most surely.

    Args:
        probabilities: Array of shape `(num_images, num_classes)`.
        labels: Class numbers or one-hot rows.

    Returns:
        Dict of what JSON can hold: `confusion`, rows of counts per true
        class, with a column per predicted class; and `mistakes`, a list of
        dicts of `index`, `true`, `predicted` and `confidence`, the surest
        first.
    """
    labels = class_numbers(labels)
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    num_classes = probabilities.shape[1]
    confusion = np.zeros((num_classes, num_classes), int)
    np.add.at(confusion, (labels, predicted), 1)
    wrong = np.flatnonzero(predicted != labels)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:_SHOWN]
    return {
        "confusion": confusion.tolist(),
        "mistakes": [
            {
                "index": int(index),
                "true": int(labels[index]),
                "predicted": int(predicted[index]),
                "confidence": float(confidence[index]),
            }
            for index in surest
        ],
    }


def label_pool(model, unlabeled, from_logits):
    """Labels all unlabelled images.

    Args:
        model: Keras classifier.
        unlabeled: Array or dataset of images.
        from_logits: Boolean, whether the model gives logits.

    Returns:
        `PoolLabels`, or `None` for a dataset that is not in the same order
        each time it is read, so that nobody knows which image is which.
    """
    try:
        source = unlabeled_source(unlabeled)
        pieces = [
            predict(model, images, from_logits, _BATCH_SIZE)
            for _, _, images in source.pieces(32 * _BATCH_SIZE, _BATCH_SIZE)
        ]
    except ValueError:
        # What was trained on is a set of images: it can only be the order.
        if is_dataset(unlabeled):
            return None
        raise
    probabilities = np.concatenate(pieces)
    return PoolLabels(
        probabilities.argmax(axis=1),
        probabilities.max(axis=1),
        getattr(unlabeled, "file_paths", None),
    )
