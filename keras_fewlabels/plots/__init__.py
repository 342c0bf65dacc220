"""Figures of matplotlib, drawn from arrays and dicts."""

from keras_fewlabels.plots.augmentations import augmentations
from keras_fewlabels.plots.comparison import comparison
from keras_fewlabels.plots.confusion_matrix import confusion_matrix
from keras_fewlabels.plots.contact_sheet import contact_sheet
from keras_fewlabels.plots.corruptions import corruptions
from keras_fewlabels.plots.image_grid import image_grid
from keras_fewlabels.plots.learning_curves import learning_curves
from keras_fewlabels.plots.prediction_changes import prediction_changes
from keras_fewlabels.plots.predictions import predictions
from keras_fewlabels.plots.pseudo_labels import pseudo_labels
from keras_fewlabels.plots.waterfall import waterfall

__all__ = [
    "augmentations",
    "comparison",
    "confusion_matrix",
    "contact_sheet",
    "corruptions",
    "image_grid",
    "learning_curves",
    "prediction_changes",
    "predictions",
    "pseudo_labels",
    "waterfall",
]
