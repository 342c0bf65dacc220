import pathlib

import keras
import numpy as np
import pytest

from keras_fewlabels.data.sources.unlabeled_array import UnlabeledArray
from keras_fewlabels.data.sources.unlabeled_source import (
    is_dataset,
    unlabeled_source,
)

IMAGES = np.zeros((4, 2, 2, 1), "float32")


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return IMAGES[2 * index : 2 * index + 2]


def test_arrays_and_datasets():
    assert isinstance(unlabeled_source(IMAGES), UnlabeledArray)
    assert len(unlabeled_source(Batches())) == 4
    assert is_dataset(Batches())
    assert not is_dataset(IMAGES)


def test_errors():
    for folder in ("images", pathlib.Path("images")):
        with pytest.raises(ValueError, match="load_image_folders"):
            unlabeled_source(folder)
    with pytest.raises(ValueError, match=r"pass them as `truth`.*tuple"):
        unlabeled_source((IMAGES, IMAGES))
