"""What can be shown in TensorBoard."""

from keras_fewlabels.data.checks.images import as_array, check_images
from keras_fewlabels.data.checks.labels import (
    check_labels,
    check_truth,
    class_numbers,
)


def check_class_names(class_names, labels=None):
    """Refuses names that are no strings, or too few for some labels."""
    if class_names is None:
        return
    is_list = isinstance(class_names, (list, tuple))
    num_classes = 0 if labels is None else 1 + int(labels.max())
    if (
        not is_list
        or not all(isinstance(name, str) for name in class_names)
        or len(class_names) < num_classes
    ):
        raise ValueError(
            "`class_names` must be a list with a string for each class. "
            f"Received: class_names={class_names!r} for {num_classes} classes"
        )


def checked_labeled(labeled, num_images):
    """The first images and their class numbers.

    Args:
        labeled: Pair of arrays `(images, labels)`, or `None`.
        num_images: Int, how many at most.

    Returns:
        Pair of arrays, or `None`.

    Raises:
        ValueError: If they are no images and labels that can be drawn.
    """
    if labeled is None:
        return None
    if not isinstance(labeled, (tuple, list)) or len(labeled) != 2:
        raise ValueError(
            "`labeled` must be a pair (images, labels) of arrays; take it out "
            "of a dataset with `next(iter(dataset))`. "
            f"Received: labeled of type {type(labeled).__name__}"
        )
    images, labels = (as_array(part, "labeled") for part in labeled)
    check_labels(labels, "labels of labeled", num_images=len(images))
    labels = class_numbers(labels)[:num_images]
    return checked_images(images, "labeled", num_images), labels


def checked_images(images, argument, num_images):
    """The first images, as an array.

    Args:
        images: Array, or `None`.
        argument: String, how the caller calls it.
        num_images: Int, how many at most.

    Raises:
        ValueError: If they are no images of 1 or 3 channels.
    """
    if images is None:
        return None
    images = as_array(images, argument)
    check_images(images, argument)
    if images.shape[-1] not in (1, 3):
        raise ValueError(
            f"`{argument}` must have 1 or 3 channels to be drawn. "
            f"Received: shape={images.shape}"
        )
    return images[:num_images]


def checked_truth(truth, unlabeled, num_images):
    """The true classes of the first unlabelled images.

    Args:
        truth: Int array with a class per unlabelled image, or `None`.
        unlabeled: The unlabelled images.
        num_images: Int, how many at most.

    Raises:
        ValueError: If it is no class per image, or there are no images.
    """
    if truth is None:
        return None
    if unlabeled is None:
        raise ValueError(
            "`truth` belongs to `unlabeled` images. Received: unlabeled=None"
        )
    truth = as_array(truth, "truth")
    check_truth(truth, len(unlabeled))
    return truth[:num_images]
