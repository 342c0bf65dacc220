import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.tensorboard.shown_images import (
    first_images,
    first_labeled,
    first_unlabeled,
)

IMAGES = np.arange(96.0).reshape(6, 4, 4, 1)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return IMAGES[2 * index : 2 * index + 2]


def test_the_first_images_and_their_labels():
    images, labels = first_labeled((IMAGES, np.eye(6)), 2)
    np.testing.assert_array_equal(images, IMAGES[:2])
    assert labels.tolist() == [0, 1]
    assert first_labeled(None, 2) is None
    images, truth = first_unlabeled(IMAGES, np.arange(6), 3)
    np.testing.assert_array_equal(images, IMAGES[:3])
    assert truth.tolist() == [0, 1, 2]
    assert first_unlabeled(IMAGES, None, 3)[1] is None
    assert first_unlabeled(None, None, 3) == (None, None)


def test_the_first_images_of_a_dataset():
    images, truth = first_unlabeled(Batches(), np.arange(6), 3)
    np.testing.assert_array_equal(images, IMAGES[:3])
    assert truth.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="for 6 images"):
        first_unlabeled(Batches(), np.arange(5), 3)


def test_channels_that_cannot_be_drawn():
    with pytest.raises(ValueError, match=r"1 or 3 channels.*Received"):
        first_images(np.zeros((1, 4, 4, 2)), "x", 1)
