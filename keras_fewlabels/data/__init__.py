"""Few-label datasets: splitting, mixing, vetoes and new labels."""

from keras_fewlabels.data.mix import mix_labeled_unlabeled
from keras_fewlabels.data.read_new_labels import read_new_labels
from keras_fewlabels.data.split import split_labels
from keras_fewlabels.data.veto import read_veto, without_vetoed

__all__ = [
    "mix_labeled_unlabeled",
    "read_new_labels",
    "read_veto",
    "split_labels",
    "without_vetoed",
]
