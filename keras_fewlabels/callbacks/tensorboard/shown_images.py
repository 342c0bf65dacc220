"""The images, labels and names that TensorBoard shows."""

from keras_fewlabels.data.checks import (
    as_array,
    check_labels,
    check_truth,
    class_numbers,
)
from keras_fewlabels.data.sources import image_source, labeled_arrays


def first_labeled(labeled, num_images):
    """Returns the first labelled images and their classes.

    Args:
        labeled: Pair `(images, labels)` of arrays, or a dataset of such
            pairs; or `None`.
        num_images: Int, the largest number of images to return.

    Returns:
        Pair of arrays, or `None`.

    Raises:
        ValueError: If the images cannot be drawn, or there is not one label
            per image.
    """
    if labeled is None:
        return None
    images, labels = labeled_arrays(labeled, "labeled", in_memory=False)
    check_labels(labels, "labels of labeled")
    _, images = first_images(images, "labeled", num_images)
    return images, class_numbers(labels)[:num_images]


def first_images(images, argument, num_images):
    """Returns the source of images, and the first images.

    Args:
        images: Images of any kind, as `data.sources.image_source` reads them.
        argument: String, the name of the argument in errors.
        num_images: Int, the largest number of images to return.

    Returns:
        Pair of an `ImageSource` and an array.

    Raises:
        ValueError: If the images do not have 1 or 3 channels.
    """
    source = image_source(images, argument)
    if source.shape[-1] not in (1, 3):
        raise ValueError(
            f"`{argument}` must have 1 or 3 channels to be drawn. "
            f"Received: images of shape {source.shape}"
        )
    return source, source.first(num_images)


def first_unlabeled(unlabeled, truth, num_images):
    """Returns the first unlabelled images and their true classes.

    Args:
        unlabeled: Images of any kind, or `None`.
        truth: Int array with a class per unlabelled image, or `None`.
        num_images: Int, the largest number of images to return.

    Returns:
        Pair of arrays, each of which may be `None`.

    Raises:
        ValueError: If there is not one class per image.
    """
    if unlabeled is None:
        if truth is not None:
            raise ValueError(
                "`truth` has the classes of `unlabeled` images. Received: "
                "truth without unlabeled"
            )
        return None, None
    source, images = first_images(unlabeled, "unlabeled", num_images)
    if truth is not None:
        truth = as_array(truth, "truth")
        check_truth(truth, len(source))
        truth = truth[:num_images]
    return images, truth
