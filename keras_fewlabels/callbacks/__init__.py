"""Callbacks for `model.fit`."""

from keras_fewlabels.callbacks.backup import ExactBackup
from keras_fewlabels.callbacks.fine_tune import FineTune
from keras_fewlabels.callbacks.learning_rate_finder import LearningRateFinder
from keras_fewlabels.callbacks.pseudo_labeler import PseudoLabeler
from keras_fewlabels.callbacks.tensorboard import (
    TensorBoardEmbeddings,
    TensorBoardImages,
)

__all__ = [
    "ExactBackup",
    "FineTune",
    "LearningRateFinder",
    "PseudoLabeler",
    "TensorBoardEmbeddings",
    "TensorBoardImages",
]
