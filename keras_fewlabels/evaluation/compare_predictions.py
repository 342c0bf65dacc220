import numpy as np

from keras_fewlabels.data.checks.labels import class_numbers
from keras_fewlabels.evaluation.verdict import Verdict


def compare_predictions(before, after, y):
    """Says whether a second classifier is better than a first.

    Args:
        before: Array of what the first predicts: class numbers of shape
            `(num_images,)`, or scores of shape `(num_images, num_classes)`.
        after: Array likewise, of the second, for the same images.
        y: Array of the true classes, as numbers or one-hot rows. Neither of
            the two may have been trained or chosen on these images.

    Returns:
        A `Verdict`.

    Raises:
        ValueError: If they are not of the same images, or there is none.

    Example:

    >>> y = np.arange(100) % 2
    >>> before = np.where(np.arange(100) < 30, 1 - y, y)
    >>> verdict = keras_fewlabels.evaluation.compare_predictions(before, y, y)
    >>> print(verdict)
    better by 30.0 points (20.4 to 38.5) on 100 images
    """
    before, after, y = (_classes(part) for part in (before, after, y))
    if not len(before) == len(after) == len(y) > 0:
        raise ValueError(
            "`before`, `after` and `y` must be of the same images, at least "
            f"one. Received: {len(before)}, {len(after)} and {len(y)}"
        )
    was_right, is_right = before == y, after == y
    return Verdict(
        len(y),
        int(np.sum(is_right & ~was_right)),
        int(np.sum(was_right & ~is_right)),
    )


def _classes(values):
    return class_numbers(np.asarray(values))
