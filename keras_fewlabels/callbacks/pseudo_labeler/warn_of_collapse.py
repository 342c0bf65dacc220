import warnings

import numpy as np

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.policies.parts import collapse_of_classes

# Below this share of labelled images, too few count to judge their classes.
_MIN_SHARE_TO_JUDGE_CLASSES = 0.5


def warn_of_collapse(labeling_round, labels, one_true=True):
    """Warns if a few classes take over the pseudo-labels.

    Args:
        labeling_round: Dict of a round, out of `PseudoLabeler.rounds`.
        labels: Array of the true labels.
        one_true: Boolean, whether one class is true of each image. Otherwise
            a warning says if no label of any image is true.

    Returns:
        Boolean, whether a warning was given.
    """
    # Of a few images that are kept, the classes say little.
    if labeling_round["share"] < _MIN_SHARE_TO_JUDGE_CLASSES:
        return False
    counts = np.array(labeling_round["class_counts"])
    if one_true:
        of_labels = np.bincount(class_numbers(labels), minlength=len(counts))
        collapse = collapse_of_classes(counts, of_labels)
        remedies = (
            "`policies.DistributionAlignment(policy)`, a higher threshold, or "
            '`balance="truncate"`'
        )
    else:
        # A no counts as well, so that classes need not be even.
        collapse = None if counts.any() else "All pseudo-labels are a no"
        remedies = "or `policies.FixedThreshold(0.0, soft=True)`"
    if collapse is None:
        return False
    warnings.warn(
        f"{collapse} (epoch {labeling_round['epoch']}, counted from 0). Stop, "
        "and try a model that is trained longer before it labels (`start`, or "
        f"a `teacher`), {remedies}.",
        stacklevel=2,
    )
    return True
