"""How robust a trained model is, and what would make it better."""

from keras_fewlabels.evaluation.alexnet_errors import alexnet_errors
from keras_fewlabels.evaluation.audit_pseudo_labels import audit_pseudo_labels
from keras_fewlabels.evaluation.compare_predictions import (
    compare_predictions,
)
from keras_fewlabels.evaluation.corrupt import corrupt
from keras_fewlabels.evaluation.corruption_report import CorruptionReport
from keras_fewlabels.evaluation.evaluate_corruptions import (
    evaluate_corruptions,
)
from keras_fewlabels.evaluation.evaluate_flip_rate import evaluate_flip_rate
from keras_fewlabels.evaluation.label_price import LabelPrice
from keras_fewlabels.evaluation.label_proposals import LabelProposals
from keras_fewlabels.evaluation.next_to_label import next_to_label
from keras_fewlabels.evaluation.prediction_changes import PredictionChanges
from keras_fewlabels.evaluation.price_of_a_label import price_of_a_label
from keras_fewlabels.evaluation.pseudo_label_audit import PseudoLabelAudit
from keras_fewlabels.evaluation.verdict import Verdict
from keras_fewlabels.evaluation.what_changed import what_changed
from keras_fewlabels.evaluation.wilson_interval import wilson_interval

__all__ = [
    "CorruptionReport",
    "LabelPrice",
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
    "price_of_a_label",
    "what_changed",
    "wilson_interval",
]
