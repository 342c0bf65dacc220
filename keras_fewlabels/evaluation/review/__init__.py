"""Doubtful labels, images worth labelling, changed predictions."""

from keras_fewlabels.evaluation.review.audit_pseudo_labels import (
    audit_pseudo_labels,
)
from keras_fewlabels.evaluation.review.first_to_label import first_to_label
from keras_fewlabels.evaluation.review.next_to_label import next_to_label
from keras_fewlabels.evaluation.review.what_changed import what_changed

__all__ = [
    "audit_pseudo_labels",
    "first_to_label",
    "next_to_label",
    "what_changed",
]
