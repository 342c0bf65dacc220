import dataclasses
import inspect

import numpy as np
import pytest

from keras_fewlabels.data.folders.folder_findings import FolderFindings
from keras_fewlabels.data.folders.image_folders import ImageFolders
from keras_fewlabels.loops import fit_noisy_student


def test_shape_and_classes():
    images, labels = np.zeros((4, 8, 6, 3), "uint8"), np.arange(4)
    folders = ImageFolders(
        labeled=(images, labels),
        unlabeled=None,
        test=None,
        validation=None,
        class_names=["a", "b", "c", "d", "e"],
        file_paths={},
        findings=FolderFindings({}, [], []),
    )
    assert folders.image_shape == (8, 6, 3)
    # Of the folders, not of the labels.
    assert folders.num_classes == 5
    # Arrays have no truth value, so folders are compared by identity. A
    # comparison by fields would raise for the copy.
    copy = dataclasses.replace(folders, labeled=(images.copy(), labels))
    assert (folders == copy) is False
    assert len({folders, copy}) == 2


def test_arguments_of_fit_noisy_student():
    images, labels = np.zeros((4, 8, 6, 3), "uint8"), np.arange(4)
    findings = FolderFindings({}, [], [])
    folders = ImageFolders(
        labeled=(images, labels),
        unlabeled="unlabelled images",
        test="test images",
        validation="validation images",
        class_names=["a", "b"],
        file_paths={},
        findings=findings,
    )
    arguments = folders.arguments()
    assert set(arguments) <= set(
        inspect.signature(fit_noisy_student).parameters
    )
    assert arguments == {
        "labeled": folders.labeled,
        "unlabeled": "unlabelled images",
        "validation_data": "validation images",
        "test_data": "test images",
        "class_names": ["a", "b"],
        "findings": findings,
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        folders.test = None
