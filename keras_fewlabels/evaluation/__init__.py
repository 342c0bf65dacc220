"""How robust a trained model is."""

from keras_fewlabels.evaluation.alexnet_errors import alexnet_errors
from keras_fewlabels.evaluation.corrupt import corrupt
from keras_fewlabels.evaluation.corruption_report import CorruptionReport
from keras_fewlabels.evaluation.evaluate_corruptions import (
    evaluate_corruptions,
)
from keras_fewlabels.evaluation.evaluate_flip_rate import evaluate_flip_rate

__all__ = [
    "CorruptionReport",
    "alexnet_errors",
    "corrupt",
    "evaluate_corruptions",
    "evaluate_flip_rate",
]
