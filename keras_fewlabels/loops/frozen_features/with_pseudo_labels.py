"""Features of labelled and unlabelled images, to fit a head to."""

import keras
import numpy as np

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.evaluation.features import flat_features
from keras_fewlabels.loops.frozen_features.self_training import (
    COUNT_OF_PSEUDO_LABEL,
    FeatureClassifier,
    sharpened,
)


def with_pseudo_labels(labeled, unlabeled, num_classes, sparse):
    """Adds unlabelled features, with soft labels, to labelled ones.

    Args:
        labeled: Triple of arrays, features, labels (class numbers or one-hot)
            and sample weights, which may be `None`.
        unlabeled: Array of features.
        num_classes: Int.
        sparse: Boolean, whether the loss takes class numbers. Pseudo-labels
            are then the most probable classes.

    Returns:
        Triple likewise. A pseudo-label has a fifth of the weight of a label.
    """
    features, labels, weights = labeled
    joined = np.concatenate([features, unlabeled])
    classes = class_numbers(labels)
    classifier = FeatureClassifier(
        flat_features(joined), keras.utils.to_categorical(classes, num_classes)
    )
    head = classifier.self_train()
    targets = sharpened(head.probabilities(flat_features(unlabeled)))
    if sparse:
        targets = targets.argmax(axis=1).reshape(-1, *labels.shape[1:])
    if weights is None:
        weights = np.ones(len(features), "float32")
    pseudo = np.full(len(unlabeled), COUNT_OF_PSEUDO_LABEL, "float32")
    return (
        joined,
        np.concatenate([labels, targets.astype(labels.dtype)]),
        np.concatenate([weights, pseudo]),
    )
