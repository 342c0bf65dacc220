import numpy as np

from keras_fewlabels.data.checks import (
    as_array,
    check_images,
    check_labels,
    class_numbers,
    is_multi_hot,
)
from keras_fewlabels.foundation import check_bool, check_int, check_seed


def split_labels(x, y, num_labeled, num_unlabeled=None, stratify=True, seed=0):
    """Splits a labelled dataset into a labelled and an unlabelled part.

    Use it to try a method on a dataset with known labels. The three parts do
    not overlap.

    Args:
        x: Array of images, shape `(num_images, height, width, channels)`.
        y: Array of labels, shape `(num_images,)` with class numbers or
            `(num_images, num_classes)` with one-hot rows; or with rows of
            several ones, which cannot be stratified.
        num_labeled: Int, the number of images that keep their label.
        num_unlabeled: Optional int, the number of unlabelled images. By
            default all other images.
        stratify: Boolean. If `True`, the classes have the same shares of the
            labelled images as of all images, and at least one image each.
        seed: Int that fixes the draw.

    Returns:
        `(x_labeled, y_labeled), x_unlabeled, (x_rest, y_rest)`: arrays with
        the shapes and dtypes of `x` and `y`, each in random order. The rest,
        on which you can test, is empty unless `num_unlabeled` is given.

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
    check_labels(y, "y", num_images=len(x), one_true=None)
    check_int(num_labeled, "num_labeled")
    check_int(num_unlabeled, "num_unlabeled", optional=True)
    check_bool(stratify, "stratify")
    check_seed(seed)
    if num_unlabeled is None:
        num_unlabeled = len(x) - num_labeled
    if num_unlabeled < 1:
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
        if is_multi_hot(y):
            raise ValueError(
                "Images of several labels cannot be stratified by their class. "
                "Pass `stratify=False`, and look whether each label is among "
                "the labelled images. Received: stratify=True, y with rows of "
                "several ones or none"
            )
        order = _labeled_first(order, class_numbers(y), num_labeled)
    labeled, unlabeled, rest = np.split(
        order, [num_labeled, num_labeled + num_unlabeled]
    )
    return (x[labeled], y[labeled]), x[unlabeled], (x[rest], y[rest])


def _labeled_first(order, classes, num_labeled):
    """Moves a stratified sample to the front, and keeps the random order."""
    names, inverse = np.unique(classes, return_inverse=True)
    if num_labeled < len(names):
        raise ValueError(
            "A stratified split needs at least one label per class. Raise "
            "`num_labeled` or pass `stratify=False`. "
            f"Received: num_labeled={num_labeled} for {len(names)} classes"
        )
    quota = _quotas(np.bincount(inverse), num_labeled)
    shuffled = inverse[order]
    # The rank of each image within its class, in the random order.
    rank = np.empty(len(order), dtype="int64")
    for number in range(len(names)):
        members = np.flatnonzero(shuffled == number)
        rank[members] = np.arange(len(members))
    chosen = rank < quota[shuffled]
    return np.concatenate([order[chosen], order[~chosen]])


def _quotas(counts, num_labeled):
    """Divides `num_labeled` among classes by the Sainte-Lague method."""
    quota = np.ones_like(counts)
    for _ in range(num_labeled - len(counts)):
        claims = np.where(quota < counts, counts / (2 * quota + 1), -1)
        quota[np.argmax(claims)] += 1
    return quota
