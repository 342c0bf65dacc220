"""Fit loops over the layers, callbacks and models of this package."""

from keras_fewlabels.loops.fit_head import fit_head
from keras_fewlabels.loops.fit_noisy_student import fit_noisy_student
from keras_fewlabels.loops.recalibrate_batch_norm import recalibrate_batch_norm
from keras_fewlabels.loops.recommend import recommend
from keras_fewlabels.loops.report import FitReport
from keras_fewlabels.loops.settings import Settings
from keras_fewlabels.loops.tuning import (
    find_batch_size,
    find_learning_rate,
    tune_rand_augment,
)

__all__ = [
    "FitReport",
    "Settings",
    "find_batch_size",
    "find_learning_rate",
    "fit_head",
    "fit_noisy_student",
    "recalibrate_batch_norm",
    "recommend",
    "tune_rand_augment",
]
