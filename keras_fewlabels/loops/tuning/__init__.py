"""Searches for batch size, learning rate and strength of RandAugment."""

from keras_fewlabels.loops.tuning.find_batch_size import find_batch_size
from keras_fewlabels.loops.tuning.find_learning_rate import find_learning_rate
from keras_fewlabels.loops.tuning.tune_rand_augment import tune_rand_augment

__all__ = ["find_batch_size", "find_learning_rate", "tune_rand_augment"]
