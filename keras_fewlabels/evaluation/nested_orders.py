"""Labels in an order in which there are ever more of them."""

import numpy as np


def nested_order(labels, random):
    """A random order whose every beginning has the classes in proportion.

    Args:
        labels: Int array of shape `(num_images,)`.
        random: `np.random.Generator`.

    Returns:
        Int array of shape `(num_images,)`. The first of it are one image of
        each class, in random order.
    """
    ranks = np.empty(len(labels))
    for number in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == number))
        # One of each class comes first; its others are spread evenly over
        # the rest, each with some luck of its own.
        shifts = random.random(len(members))
        places = (np.arange(len(members)) - shifts) / len(members)
        ranks[members] = np.where(np.arange(len(members)) > 0, places, -1)
    return np.lexsort((random.random(len(labels)), ranks))


def stratified_folds(labels, num_folds, random):
    """Which fold each image is in, where folds have alike shares of a class.

    Args:
        labels: Int array of shape `(num_images,)`.
        num_folds: Int.
        random: `np.random.Generator`.

    Returns:
        Int array of shape `(num_images,)`, from 0.
    """
    folds, first = np.empty(len(labels), int), 0
    for number in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == number))
        # Each class goes on in the fold where the last one ended.
        folds[members] = (first + np.arange(len(members))) % num_folds
        first += len(members)
    return folds


def nested_sizes(num_labels, num_classes, extra=()):
    """Numbers of labels from few to all, in equal ratios.

    Args:
        num_labels: Int, all there are.
        num_classes: Int; the smallest size has one label of each.
        extra: Sequence of ints: as many labels more are asked about. The
            sizes that are to all labels as all are to these are among them.

    Returns:
        Sorted list of ints; of one size if there are no more labels than
        classes.
    """
    least = min(max(num_classes, num_labels // 16), num_labels)
    sizes = np.geomspace(least, num_labels, 7).round().astype(int).tolist()
    steps = [round(num_labels**2 / (num_labels + more)) for more in extra]
    return sorted({*sizes, *(size for size in steps if size >= least)})


def lent_sizes(num_labels, num_lent):
    """Numbers of labels beyond those there are, in equal ratios.

    Args:
        num_labels: Int, all there are.
        num_lent: Int, how many more can be lent.

    Returns:
        Sorted list of ints above `num_labels`; empty if none can be lent.
    """
    if num_lent < 1:
        return []
    sizes = np.geomspace(num_labels, num_labels + num_lent, 5).round()
    return sorted({int(size) for size in sizes if size > num_labels})
