"""Callbacks for `model.fit`."""

from keras_fewlabels.callbacks.exact_backup import ExactBackup
from keras_fewlabels.callbacks.fine_tune import FineTune
from keras_fewlabels.callbacks.learning_rate_finder import LearningRateFinder
from keras_fewlabels.callbacks.pseudo_labeler import PseudoLabeler
from keras_fewlabels.callbacks.seed_epochs import SeedEpochs
from keras_fewlabels.callbacks.tensorboard_embeddings import (
    TensorBoardEmbeddings,
)
from keras_fewlabels.callbacks.tensorboard_images import TensorBoardImages

__all__ = [
    "ExactBackup",
    "FineTune",
    "LearningRateFinder",
    "PseudoLabeler",
    "SeedEpochs",
    "TensorBoardEmbeddings",
    "TensorBoardImages",
]
