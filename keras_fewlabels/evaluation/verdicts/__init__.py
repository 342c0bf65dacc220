"""Differences between two classifiers, and their intervals."""

from keras_fewlabels.evaluation.verdicts.balanced_verdict import (
    BalancedVerdict,
    compare_recalls,
)
from keras_fewlabels.evaluation.verdicts.precision_verdict import (
    PrecisionVerdict,
    compare_precisions,
)
from keras_fewlabels.evaluation.verdicts.verdict import (
    Verdict,
    accuracy_interval,
    compare_predictions,
    wilson_interval,
)

__all__ = [
    "BalancedVerdict",
    "PrecisionVerdict",
    "Verdict",
    "accuracy_interval",
    "compare_precisions",
    "compare_predictions",
    "compare_recalls",
    "wilson_interval",
]
