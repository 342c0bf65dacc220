"""Doubtful labels, images worth labelling, changed predictions."""

from keras_fewlabels.evaluation.review.audit_pseudo_labels import (
    audit_pseudo_labels,
)
from keras_fewlabels.evaluation.review.label_proposals import LabelProposals
from keras_fewlabels.evaluation.review.next_to_label import next_to_label
from keras_fewlabels.evaluation.review.prediction_changes import (
    PredictionChanges,
)
from keras_fewlabels.evaluation.review.pseudo_label_audit import (
    PseudoLabelAudit,
)
from keras_fewlabels.evaluation.review.what_changed import what_changed

__all__ = [
    "LabelProposals",
    "PredictionChanges",
    "PseudoLabelAudit",
    "audit_pseudo_labels",
    "next_to_label",
    "what_changed",
]
