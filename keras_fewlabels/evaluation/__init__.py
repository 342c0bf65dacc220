"""How robust a trained model is."""

from keras_fewlabels.evaluation.alexnet_errors import alexnet_errors
from keras_fewlabels.evaluation.compare_predictions import (
    compare_predictions,
)
from keras_fewlabels.evaluation.corrupt import corrupt
from keras_fewlabels.evaluation.corruption_report import CorruptionReport
from keras_fewlabels.evaluation.evaluate_corruptions import (
    evaluate_corruptions,
)
from keras_fewlabels.evaluation.evaluate_flip_rate import evaluate_flip_rate
from keras_fewlabels.evaluation.verdict import Verdict
from keras_fewlabels.evaluation.wilson_interval import wilson_interval

__all__ = [
    "CorruptionReport",
    "Verdict",
    "alexnet_errors",
    "compare_predictions",
    "corrupt",
    "evaluate_corruptions",
    "evaluate_flip_rate",
    "wilson_interval",
]
