"""Folders of image files, examined and read."""

from keras_fewlabels.data.folders.folder_findings import FolderFindings
from keras_fewlabels.data.folders.image_files import ImageFiles
from keras_fewlabels.data.folders.image_folders import ImageFolders
from keras_fewlabels.data.folders.load_image_folders import load_image_folders

__all__ = ["FolderFindings", "ImageFiles", "ImageFolders", "load_image_folders"]
