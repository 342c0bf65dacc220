"""Accuracy on corrupted images."""

from keras_fewlabels.evaluation.corruptions.corrupt import corrupt
from keras_fewlabels.evaluation.corruptions.evaluate_corruptions import (
    evaluate_corruptions,
)
from keras_fewlabels.evaluation.corruptions.evaluate_flip_rate import (
    evaluate_flip_rate,
)

__all__ = ["corrupt", "evaluate_corruptions", "evaluate_flip_rate"]
