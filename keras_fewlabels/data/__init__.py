"""Few-label datasets: folders of images, splits, mixing two streams."""

from keras_fewlabels.data.folder_findings import FolderFindings
from keras_fewlabels.data.image_files import ImageFiles
from keras_fewlabels.data.image_folders import ImageFolders
from keras_fewlabels.data.load_image_folders import load_image_folders
from keras_fewlabels.data.mix import mix_labeled_unlabeled
from keras_fewlabels.data.split import split_labels

__all__ = [
    "FolderFindings",
    "ImageFiles",
    "ImageFolders",
    "load_image_folders",
    "mix_labeled_unlabeled",
    "split_labels",
]
