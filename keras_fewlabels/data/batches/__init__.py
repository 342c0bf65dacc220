"""Datasets that `fit()` trains on."""

from keras_fewlabels.data.batches.mixed_batches import (
    JoinedBatches,
    LabeledBatches,
    MixedBatches,
)
from keras_fewlabels.data.batches.pseudo_labeled_data import pseudo_labeled_data

__all__ = [
    "JoinedBatches",
    "LabeledBatches",
    "MixedBatches",
    "pseudo_labeled_data",
]
