"""Stochastic depth for a model that exists."""

from keras_fewlabels.models.stochastic_depth.add_stochastic_depth import (
    add_stochastic_depth,
)
from keras_fewlabels.models.stochastic_depth.linear_rates import linear_rates

__all__ = ["add_stochastic_depth", "linear_rates"]
