"""Searches for a batch size, a learning rate, a magnitude."""

from keras_fewlabels.loops.tuning.find_batch_size import (
    BatchSizes,
    find_batch_size,
)
from keras_fewlabels.loops.tuning.find_learning_rate import find_learning_rate
from keras_fewlabels.loops.tuning.tune_rand_augment import (
    RandAugmentTrials,
    tune_rand_augment,
)

__all__ = [
    "BatchSizes",
    "RandAugmentTrials",
    "find_batch_size",
    "find_learning_rate",
    "tune_rand_augment",
]
