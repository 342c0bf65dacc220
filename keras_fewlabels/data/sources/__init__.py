"""Images of any kind, read in order."""

from keras_fewlabels.data.sources.datasets import is_dataset, read_elements
from keras_fewlabels.data.sources.image_source import ImageSource, image_source
from keras_fewlabels.data.sources.labeled_arrays import labeled_arrays

__all__ = [
    "ImageSource",
    "image_source",
    "is_dataset",
    "labeled_arrays",
    "read_elements",
]
