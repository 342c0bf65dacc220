"""How robust a trained model is, and what would make it better."""

from keras_fewlabels.evaluation.compare_predictions import (
    compare_predictions,
)
from keras_fewlabels.evaluation.corruptions import (
    CorruptionReport,
    alexnet_errors,
    corrupt,
    evaluate_corruptions,
    evaluate_flip_rate,
)
from keras_fewlabels.evaluation.review import (
    LabelProposals,
    PredictionChanges,
    PseudoLabelAudit,
    audit_pseudo_labels,
    next_to_label,
    what_changed,
)
from keras_fewlabels.evaluation.verdict import Verdict, wilson_interval

__all__ = [
    "CorruptionReport",
    "LabelProposals",
    "PredictionChanges",
    "PseudoLabelAudit",
    "Verdict",
    "alexnet_errors",
    "audit_pseudo_labels",
    "compare_predictions",
    "corrupt",
    "evaluate_corruptions",
    "evaluate_flip_rate",
    "next_to_label",
    "what_changed",
    "wilson_interval",
]
