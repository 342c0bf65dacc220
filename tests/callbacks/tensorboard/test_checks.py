import numpy as np
import pytest

from keras_fewlabels.callbacks.tensorboard.checks import (
    check_class_names,
    checked_images,
    checked_labeled,
    checked_truth,
)

IMAGES = np.zeros((6, 4, 4, 1))


def test_the_first_images_and_their_labels():
    images, labels = checked_labeled((IMAGES, np.eye(6)), 2)
    assert images.shape == (2, 4, 4, 1)
    assert labels.tolist() == [0, 1]
    assert checked_labeled(None, 2) is None
    assert checked_truth(np.arange(6), IMAGES, 3).tolist() == [0, 1, 2]


def test_names_of_the_classes_there_are():
    check_class_names(None, np.array([7]))
    check_class_names(["cat", "dog"], np.array([0, 1]))
    with pytest.raises(ValueError, match=r"for 3 classes"):
        check_class_names(["cat", "dog"], np.array([0, 2]))


def test_channels_that_cannot_be_drawn():
    with pytest.raises(ValueError, match=r"1 or 3 channels.*Received"):
        checked_images(np.zeros((1, 4, 4, 2)), "x", 1)
