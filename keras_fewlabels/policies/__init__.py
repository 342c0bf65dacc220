"""Policies, which decide which pseudo-labels count, and how much."""

from keras_fewlabels.policies.ada_match import AdaMatchPolicy
from keras_fewlabels.policies.debiased import DebiasedPolicy
from keras_fewlabels.policies.distribution_alignment import (
    DistributionAlignment,
)
from keras_fewlabels.policies.fixed_threshold import FixedThreshold
from keras_fewlabels.policies.flex_match import FlexMatchPolicy
from keras_fewlabels.policies.free_match import FreeMatchPolicy
from keras_fewlabels.policies.policy import Policy
from keras_fewlabels.policies.soft_match import SoftMatchPolicy
from keras_fewlabels.policies.top_per_class import TopPerClass

__all__ = [
    "AdaMatchPolicy",
    "DebiasedPolicy",
    "DistributionAlignment",
    "FixedThreshold",
    "FlexMatchPolicy",
    "FreeMatchPolicy",
    "Policy",
    "SoftMatchPolicy",
    "TopPerClass",
]
