import numpy as np

from keras_fewlabels.evaluation.features import flat_features
from keras_fewlabels.evaluation.frozen_features.head_kinds import kind_of
from keras_fewlabels.evaluation.frozen_features.self_training import (
    COUNT_OF_PSEUDO_LABEL,
    FeatureClassifier,
)


def with_pseudo_labels(labeled, unlabeled, num_classes, scores, balanced=False):
    """Adds unlabelled features, with soft labels, to labelled ones.

    Args:
        labeled: Triple of arrays, features, labels (class numbers or rows)
            and sample weights, which may be `None`.
        unlabeled: Array of features.
        num_classes: Int.
        scores: `ClassScores` that the loss reads. If it takes class numbers,
            pseudo-labels are the most probable classes. Those of one sigmoid
            unit are probabilities of its class.
        balanced: Boolean, whether all classes count alike in the classifier
            that makes the pseudo-labels.

    Returns:
        Triple likewise. A pseudo-label has a fifth of the weight of a label.
    """
    features, labels, weights = labeled
    joined, kind = np.concatenate([features, unlabeled]), kind_of(scores)
    rows = scores.label_rows(labels, num_classes)
    classifier = FeatureClassifier(flat_features(joined), rows, balanced, kind)
    predicted = classifier.self_train().probabilities(flat_features(unlabeled))
    pseudo_labels = scores.pseudo_labels(kind.sharpened(predicted))
    if pseudo_labels.dtype.kind == "f" and labels.dtype.kind != "f":
        # Whole numbers would cut probabilities down to 0.
        labels = labels.astype("float32")
    pseudo_labels = pseudo_labels.reshape(-1, *labels.shape[1:])
    if weights is None:
        weights = np.ones(len(features), "float32")
    counts = np.full(len(unlabeled), COUNT_OF_PSEUDO_LABEL, "float32")
    return (
        joined,
        np.concatenate([labels, pseudo_labels.astype(labels.dtype)]),
        np.concatenate([weights, counts]),
    )
