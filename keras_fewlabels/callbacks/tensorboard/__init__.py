"""Callbacks that show views and features in TensorBoard."""

from keras_fewlabels.callbacks.tensorboard.tensorboard_embeddings import (
    TensorBoardEmbeddings,
)
from keras_fewlabels.callbacks.tensorboard.tensorboard_images import (
    TensorBoardImages,
)

__all__ = ["TensorBoardEmbeddings", "TensorBoardImages"]
