"""A callback that labels unlabelled images while a model trains."""

from keras_fewlabels.callbacks.pseudo_labeler.pseudo_labeler import (
    PseudoLabeler,
)

__all__ = ["PseudoLabeler"]
