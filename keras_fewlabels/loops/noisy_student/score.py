"""What a model is worth, in numbers for a report."""

import numpy as np
from keras import ops

from keras_fewlabels.data.checks.labels import class_numbers
from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.policies.parts.class_probabilities import (
    class_probabilities,
)


def score(model, labeled, from_logits, batch_size=256):
    """Accuracy and cross-entropy of a model.

    Args:
        model: Keras classifier.
        labeled: Pair of arrays, images and labels, or `None`. The images may
            be `ImageFiles`, which are read in batches.
        from_logits: Boolean, whether it gives logits.
        batch_size: Int.

    Returns:
        Dict of `accuracy` in [0, 1], `loss` and `num_images`, or `None`.
    """
    if labeled is None:
        return None
    images, labels = labeled
    probabilities = predict(model, images, from_logits, batch_size)
    labels = class_numbers(labels)
    of_truth = probabilities[np.arange(len(labels)), labels]
    return {
        "accuracy": float(np.mean(probabilities.argmax(axis=1) == labels)),
        "loss": float(-np.mean(np.log(np.maximum(of_truth, 1e-7)))),
        "num_images": len(labels),
    }


def pseudo_label_facts(model, images, task, threshold, truth=None):
    """What a model says of unlabelled images.

    Args:
        model: Keras classifier.
        images: Array of unlabelled images.
        task: `Task`.
        threshold: Float, from which confidence on a label counts.
        truth: Optional int array, the true classes of these images.

    Returns:
        Dict of `mask_ratio`, the share of images whose label counts;
        `confidence`, the mean highest probability; `class_shares`, how these
        labels spread over the classes; and their `accuracy`, or `None`.
    """
    probabilities = predict(model, images, task.from_logits)
    confidence = probabilities.max(axis=1)
    counts = confidence >= threshold
    labels = probabilities.argmax(axis=1)[counts]
    shares = np.bincount(labels, minlength=task.num_classes)
    is_known = truth is not None and len(labels)
    return {
        "mask_ratio": float(counts.mean()),
        "confidence": float(confidence.mean()),
        "class_shares": (shares / max(1, shares.sum())).tolist(),
        "accuracy": (
            float(np.mean(labels == truth[counts])) if is_known else None
        ),
    }


def predict(model, images, from_logits, batch_size=256):
    """Class probabilities of images, a NumPy array.

    Args:
        model: Keras classifier.
        images: Array, `ImageFiles`, or dataset of batches.
        from_logits: Boolean, whether the model gives logits.
        batch_size: Int.
    """
    outputs = predict_outputs(model, images, batch_size)
    return ops.convert_to_numpy(class_probabilities(outputs, from_logits))


def predict_outputs(model, images, batch_size=256):
    """What a model gives for images, an array or a list of arrays."""
    if isinstance(images, ImageFiles):
        images = images.batches(batch_size)
    # Datasets have batches of their own.
    is_array = isinstance(images, np.ndarray)
    return model.predict(
        images, batch_size=batch_size if is_array else None, verbose=0
    )
