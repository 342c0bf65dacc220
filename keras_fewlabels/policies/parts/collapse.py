import numpy as np

# Below this share of the entropy of the labels, classes are being lost.
_MIN_SHARE_OF_ENTROPY = 0.75


def collapse_of_classes(pseudo_labels, labels):
    """Describes a collapse of pseudo-labels onto a few classes.

    Pseudo-labels collapse if the entropy of their classes falls below three
    quarters of that of the labels.

    Args:
        pseudo_labels: Array of shape `(num_classes,)`, the number (or the
            weight) of the pseudo-labels of each class.
        labels: Array of the same shape for the labels.

    Returns:
        A sentence that names the class that takes over, or `None`.

    Example:

    >>> from keras_fewlabels.policies.parts import collapse_of_classes
    >>> collapse_of_classes(np.array([96, 4]), np.array([5, 5]))
    'Class 0 is taking over: 96% of the pseudo-labels, but 50% of the labels'
    """
    shares, label_shares = (
        counts / max(counts.sum(), 1e-9) for counts in (pseudo_labels, labels)
    )
    if _entropy(shares) >= _MIN_SHARE_OF_ENTROPY * _entropy(label_shares):
        return None
    favoured = (shares - label_shares).argmax()
    return (
        f"Class {favoured} is taking over: {shares[favoured]:.0%} of the "
        f"pseudo-labels, but {label_shares[favoured]:.0%} of the labels"
    )


def _entropy(shares):
    shares = shares[shares > 0]
    return -np.sum(shares * np.log(shares))
