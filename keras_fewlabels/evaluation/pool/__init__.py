"""Examination of unlabelled images before anything is trained."""

from keras_fewlabels.evaluation.pool.examine_pool import examine_pool

__all__ = ["examine_pool"]
