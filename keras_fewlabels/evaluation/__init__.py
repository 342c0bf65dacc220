"""Robustness of a model, unlabelled images, and images worth labelling."""

from keras_fewlabels.evaluation.corruptions import (
    corrupt,
    evaluate_corruptions,
    evaluate_flip_rate,
)
from keras_fewlabels.evaluation.pool import examine_pool
from keras_fewlabels.evaluation.review import (
    audit_pseudo_labels,
    first_to_label,
    next_to_label,
    what_changed,
)

__all__ = [
    "audit_pseudo_labels",
    "corrupt",
    "evaluate_corruptions",
    "evaluate_flip_rate",
    "examine_pool",
    "first_to_label",
    "next_to_label",
    "what_changed",
]
