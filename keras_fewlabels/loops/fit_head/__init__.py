"""A new head on features that are computed once."""

from keras_fewlabels.loops.fit_head.fit_head import fit_head

__all__ = ["fit_head"]
