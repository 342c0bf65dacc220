"""Datasets with few labels: folders, splits, mixing, vetoes, new labels."""

from keras_fewlabels.data.folders import ImageFiles, load_image_folders
from keras_fewlabels.data.mix_labeled_unlabeled import mix_labeled_unlabeled
from keras_fewlabels.data.review import (
    read_new_labels,
    read_veto,
    without_vetoed,
)
from keras_fewlabels.data.split_labels import split_labels

__all__ = [
    "ImageFiles",
    "load_image_folders",
    "mix_labeled_unlabeled",
    "read_new_labels",
    "read_veto",
    "split_labels",
    "without_vetoed",
]
