import dataclasses
import inspect

import numpy as np
import pytest

from keras_fewlabels.data.folders import FolderFindings, ImageFolders
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
    # Arrays have no truth value; folders are compared by what they are.
    assert folders == folders
    assert folders != dataclasses.replace(folders)
    arguments = folders.arguments()
    assert set(arguments) <= set(
        inspect.signature(fit_noisy_student).parameters
    )
    assert arguments["labeled"] is folders.labeled
    assert arguments["findings"] is folders.findings
    with pytest.raises(dataclasses.FrozenInstanceError):
        folders.test = None
