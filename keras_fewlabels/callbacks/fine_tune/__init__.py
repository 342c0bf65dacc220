"""A callback that freezes and unfreezes a backbone inside one fit."""

from keras_fewlabels.callbacks.fine_tune.fine_tune import FineTune

__all__ = ["FineTune"]
