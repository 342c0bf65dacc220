"""Fit loops over the layers, callbacks and models of this package."""

from keras_fewlabels.loops.find_learning_rate import find_learning_rate
from keras_fewlabels.loops.fit_head import fit_head

__all__ = ["find_learning_rate", "fit_head"]
