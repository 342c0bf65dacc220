"""Figures of matplotlib, drawn from arrays and dicts."""

from keras_fewlabels.plots.augmentations import augmentations
from keras_fewlabels.plots.comparison import comparison
from keras_fewlabels.plots.confusion_matrix import confusion_matrix
from keras_fewlabels.plots.contact_sheet import contact_sheet
from keras_fewlabels.plots.learning_curves import learning_curves
from keras_fewlabels.plots.predictions import predictions
from keras_fewlabels.plots.pseudo_labels import pseudo_labels

__all__ = [
    "augmentations",
    "comparison",
    "confusion_matrix",
    "contact_sheet",
    "learning_curves",
    "predictions",
    "pseudo_labels",
]
