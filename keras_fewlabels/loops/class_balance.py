"""Classes that have more labels than others, and those that should count."""

import numpy as np

# The most frequent class of uneven labels has more than so many times the
# labels of the rarest. Two and three labels are no difference.
_UNEVEN = 1.5


def are_uneven(counts):
    """Returns whether the labels of rare classes should count more.

    Args:
        counts: Int array of shape `(num_classes,)`, the labels of each class.
            Classes without any do not matter.

    Example:

    >>> from keras_fewlabels.loops.class_balance import are_uneven
    >>> are_uneven(np.array([6, 4])), are_uneven(np.array([7, 4]))
    (False, True)
    """
    known = counts[counts > 0]
    return bool(known.max() > _UNEVEN * known.min())


def class_weights(counts):
    """Returns the weights with which all classes count alike.

    Args:
        counts: Int array of shape `(num_classes,)`, the labels of each class.

    Returns:
        Float array likewise, whose mean over the labels is 1.

    Example:

    >>> from keras_fewlabels.loops.class_balance import class_weights
    >>> class_weights(np.array([6, 2, 0]))
    array([0.66666667, 2.        , 4.        ])
    """
    return counts.sum() / np.maximum(1, counts) / np.sum(counts > 0)


def check_balanced(balanced, scores):
    """Checks that there are classes to weigh where they should count alike.

    Args:
        balanced: Boolean, or `None`.
        scores: `ClassScores` of the model.

    Raises:
        ValueError: If several labels may be true of an image.
    """
    if balanced and not scores.one_true:
        raise ValueError(
            "A model with a sigmoid for each of several labels needs "
            "`balanced=False`: an image with several labels has no class to "
            f"weigh. Leave it out. Received: balanced={balanced}"
        )
