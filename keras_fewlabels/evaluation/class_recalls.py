import numpy as np

from keras_fewlabels.evaluation.verdicts import wilson_interval


def class_recalls(confusion):
    """Returns the accuracy on the images of each class.

    Args:
        confusion: Int array of shape `(num_classes, num_classes)`, images by
            true class (rows) and predicted class (columns).

    Returns:
        Dict for JSON: `recalls`, a list with a dict per class of
        `num_images`, `num_right`, `recall` and its 95 % `interval` (Wilson),
        which are both `None` for a class without images; and
        `balanced_accuracy`, the mean recall of the classes that have images.

    Example:

    >>> from keras_fewlabels.evaluation.class_recalls import class_recalls
    >>> found = class_recalls([[9, 1], [1, 1]])
    >>> [recall["recall"] for recall in found["recalls"]]
    [0.9, 0.5]
    >>> found["balanced_accuracy"]  # where the accuracy is 10 / 12
    0.7
    """
    confusion = np.asarray(confusion)
    recalls = [
        _recall(int(num_right), int(num_images))
        for num_right, num_images in zip(
            confusion.diagonal(), confusion.sum(axis=1), strict=True
        )
    ]
    known = [each["recall"] for each in recalls if each["num_images"]]
    return {"recalls": recalls, "balanced_accuracy": float(np.mean(known))}


def _recall(num_right, num_images):
    recall = interval = None
    if num_images:
        recall = num_right / num_images
        interval = list(wilson_interval(num_right, num_images))
    return {
        "num_images": num_images,
        "num_right": num_right,
        "recall": recall,
        "interval": interval,
    }
