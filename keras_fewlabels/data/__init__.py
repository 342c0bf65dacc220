"""Few-label datasets: folders, splits, mixing, vetoes and new labels."""

from keras_fewlabels.data.folder_findings import FolderFindings
from keras_fewlabels.data.image_files import ImageFiles
from keras_fewlabels.data.image_folders import ImageFolders
from keras_fewlabels.data.load_image_folders import load_image_folders
from keras_fewlabels.data.mix import mix_labeled_unlabeled
from keras_fewlabels.data.read_new_labels import read_new_labels
from keras_fewlabels.data.split import split_labels
from keras_fewlabels.data.veto import read_veto, without_vetoed

__all__ = [
    "FolderFindings",
    "ImageFiles",
    "ImageFolders",
    "load_image_folders",
    "mix_labeled_unlabeled",
    "read_new_labels",
    "read_veto",
    "split_labels",
    "without_vetoed",
]
