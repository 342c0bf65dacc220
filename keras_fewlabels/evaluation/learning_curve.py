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

    Beyond the labels there are, one half of the held-out images lends its
    labels and the other half is measured, then the reverse.

    Args:
        labeled: Pair of features `(num_labeled, num_features)` and class
            numbers `(num_labeled,)`.
        held_out: Such a pair of other images.
        sizes: List of ints, at most `num_labeled` and half of the held-out
            images.
        num_classes: Int.
        orders: Int, in how many random orders labels are added.
        random: `np.random.Generator`.

    Returns:
        Boolean array of shape `(orders, num_sizes, num_held_out)`.
    """
    features, labels = labeled
    queries, truth = held_out
    order = np.stack([nested_order(labels, random) for _ in range(orders)])
    halves = np.stack(
        [stratified_folds(truth, 2, random) for _ in range(orders)]
    )
    lent = [_orders_within(halves == half, truth, random) for half in (0, 1)]
    both = np.concatenate([features, queries])
    all_labels = np.concatenate([labels, truth])
    wrong = np.zeros((orders, len(sizes), len(truth)), bool)
    for place, size in enumerate(sizes):
        more = size - len(labels)
        for half in (0, 1) if more > 0 else (None,):
            chosen = order[:, :size]
            if half is not None:
                others = len(labels) + lent[half][:, :more]
                chosen = np.concatenate([chosen, others], axis=1)
            found = softmax_head_predictions(
                both, all_labels, chosen, queries, num_classes
            )
            measured = halves != half
            wrong[:, place][measured] = (found != truth)[measured]
    return wrong


def _orders_within(inside, labels, random):
    """Nested orders of the images inside, cut to the same length."""
    orders = []
    for row in inside:
        members = np.flatnonzero(row)
        orders.append(members[nested_order(labels[members], random)])
    shortest = min(map(len, orders))
    return np.stack([order[:shortest] for order in orders])


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
