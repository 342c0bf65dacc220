"""How heads err that are fitted to fewer labels than there are."""

import numpy as np

from keras_fewlabels.evaluation.nested_orders import (
    nested_order,
    stratified_folds,
)
from keras_fewlabels.evaluation.softmax_head import softmax_head_predictions

NUM_FOLDS = 5


def held_out_errors(labeled, held_out, sizes, num_classes, orders, random):
    """Which held-out images heads of several sizes get wrong.

    Args:
        labeled: Pair of features `(num_labeled, num_features)` and class
            numbers `(num_labeled,)`.
        held_out: Such a pair of other images.
        sizes: List of ints, at most `num_labeled`.
        num_classes: Int.
        orders: Int, in how many random orders labels are added.
        random: `np.random.Generator`.

    Returns:
        Boolean array of shape `(orders, num_sizes, num_held_out)`.
    """
    features, labels = labeled
    queries, truth = held_out
    order = np.stack([nested_order(labels, random) for _ in range(orders)])
    found = [
        softmax_head_predictions(
            features, labels, order[:, :size], queries, num_classes
        )
        for size in sizes
    ]
    return np.stack(found, axis=1) != truth


def cross_validated_errors(labeled, sizes, num_classes, orders, random):
    """The same where each labelled image is held out of a fifth of the fits.

    Args:
        labeled: As for `held_out_errors`.
        sizes: List of ints, at most what is left of the labels when a fold is
            held out.
        num_classes: Int.
        orders: Int, in how many random orders labels are added, each with
            folds of its own.
        random: `np.random.Generator`.

    Returns:
        Boolean array of shape `(orders, num_sizes, num_labeled)`.
    """
    features, labels = labeled
    folds = np.stack(
        [stratified_folds(labels, NUM_FOLDS, random) for _ in range(orders)]
    )
    wrong = np.zeros((orders, len(sizes), len(labels)), bool)
    for fold in range(NUM_FOLDS):
        order = []
        for row in folds:
            others = np.flatnonzero(row != fold)
            order.append(others[nested_order(labels[others], random)])
        for place, size in enumerate(sizes):
            chosen = np.stack([each[:size] for each in order])
            found = softmax_head_predictions(
                features, labels, chosen, features, num_classes
            )
            inside = folds == fold
            wrong[:, place][inside] = (found != labels)[inside]
    return wrong
