"""Folders of image files, examined and read."""

from keras_fewlabels.data.folders.image_files import ImageFiles
from keras_fewlabels.data.folders.load_image_folders import load_image_folders

__all__ = ["ImageFiles", "load_image_folders"]
