"""A few-label task out of a labelled dataset."""

import numpy as np

from keras_fewlabels.data.checks.images import as_array, check_images
from keras_fewlabels.data.checks.labels import check_labels, class_numbers
from keras_fewlabels.foundation.arguments import check_int, check_seed


def split_labels(x, y, num_labeled, num_unlabeled=None, stratify=True, seed=0):
    """Keeps a few labels of a dataset and hides the others.

    Use it to try a method on data whose labels you have, or to set apart the
    labelled images of your own. The three parts never overlap.

    Args:
        x: Array of images, shape `(num_images, height, width, channels)`.
        y: Array of labels, shape `(num_images,)` with class numbers or
            `(num_images, num_classes)` with one-hot rows.
        num_labeled: Int, how many images keep their label.
        num_unlabeled: Optional int, how many of the others go to the
            unlabelled part. By default all of them.
        stratify: Boolean. If `True`, each class has the share of the labelled
            images that it has of all images, and at least one.
        seed: Int that fixes the draw.

    Returns:
        `(x_labeled, y_labeled), x_unlabeled, (x_rest, y_rest)`: arrays with
        the shapes and dtypes of `x` and `y`, each in random order. The rest
        is empty unless `num_unlabeled` is given; test on it.

    Raises:
        ValueError: If the parts are larger than the dataset, a part would be
            empty, a stratified split has fewer labels than classes, or `x`
            and `y` are not images and labels.

    Example:

    >>> x = np.arange(100, dtype="uint8").reshape(100, 1, 1, 1)
    >>> y = np.repeat([0, 1], [80, 20])
    >>> labeled, x_unlabeled, rest = keras_fewlabels.data.split_labels(
    ...     x, y, num_labeled=10, num_unlabeled=60
    ... )
    >>> np.bincount(labeled[1]), len(x_unlabeled), len(rest[0])
    (array([8, 2]), 60, 30)
    """
    x, y = as_array(x, "x"), as_array(y, "y")
    check_images(x, "x")
    check_labels(y, "y", num_images=len(x))
    check_seed(seed)
    for name, number in (
        ("num_labeled", num_labeled),
        ("num_unlabeled", 0 if num_unlabeled is None else num_unlabeled),
    ):
        check_int(number, name, 0)
    if num_unlabeled is None:
        num_unlabeled = len(x) - num_labeled
    if num_labeled < 1 or num_unlabeled < 1:
        raise ValueError(
            "`split_labels` needs at least one labelled and one unlabelled "
            f"image. Received: num_labeled={num_labeled}, "
            f"num_unlabeled={num_unlabeled}, for {len(x)} images"
        )
    if num_labeled + num_unlabeled > len(x):
        raise ValueError(
            "`num_labeled` and `num_unlabeled` must not exceed the number of "
            f"images together. Received: num_labeled={num_labeled}, "
            f"num_unlabeled={num_unlabeled}, for {len(x)} images"
        )
    order = np.random.default_rng(seed).permutation(len(x))
    if stratify:
        order = _labeled_first(order, class_numbers(y), num_labeled)
    labeled, unlabeled, rest = np.split(
        order, [num_labeled, num_labeled + num_unlabeled]
    )
    return (x[labeled], y[labeled]), x[unlabeled], (x[rest], y[rest])


def _labeled_first(order, classes, num_labeled):
    """Moves a stratified choice of images to the front, in random order."""
    names, inverse = np.unique(classes, return_inverse=True)
    if num_labeled < len(names):
        raise ValueError(
            "A stratified split needs at least one label per class. Raise "
            "`num_labeled` or pass `stratify=False`. "
            f"Received: num_labeled={num_labeled} for {len(names)} classes"
        )
    quota = _quotas(np.bincount(inverse), num_labeled)
    shuffled = inverse[order]
    # The rank of each image among those of its class, in the drawn order.
    rank = np.empty(len(order), dtype="int64")
    for number in range(len(names)):
        members = np.flatnonzero(shuffled == number)
        rank[members] = np.arange(len(members))
    chosen = rank < quota[shuffled]
    return np.concatenate([order[chosen], order[~chosen]])


def _quotas(counts, num_labeled):
    """Shares `num_labeled` seats among classes by the Sainte-Lague method."""
    quota = np.ones_like(counts)
    for _ in range(num_labeled - len(counts)):
        claims = np.where(quota < counts, counts / (2 * quota + 1), -1)
        quota[np.argmax(claims)] += 1
    return quota
