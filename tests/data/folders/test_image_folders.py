import dataclasses
import inspect
import pathlib

import keras
import numpy as np
import pytest

from keras_fewlabels.data import load_image_folders
from keras_fewlabels.data.folders.folder_findings import FolderFindings
from keras_fewlabels.data.folders.image_folders import ImageFolders
from keras_fewlabels.data.review import image_rows, write_image_table
from keras_fewlabels.data.sources.image_source import image_source
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


def test_labels_of_people_move_images_to_the_labelled_ones(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat/1", "dog/1", "pool/a", "pool/b", "pool/c"):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        image = rng.integers(0, 256, (8, 8, 3))
        keras.utils.save_img(path, image, scale=False)
    (tmp_path / "classes").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / name).rename(tmp_path / "classes" / name)
    folders = load_image_folders(
        tmp_path / "classes", tmp_path / "pool", verbose=0
    )
    place = {
        pathlib.Path(path).stem: number
        for number, path in enumerate(folders.unlabeled.file_paths)
    }
    chosen = np.array([place["c"], place["a"]])
    images = np.asarray(folders.unlabeled[chosen])
    rows = image_rows(image_source(folders.unlabeled), chosen, images)
    labels = ({"label": "dog"}, {"label": "cat", "answered_by": "Ada"})
    labels[0]["answered_by"] = ""
    file = tmp_path / "to_label.csv"
    write_image_table(
        file,
        [{**row, **label} for row, label in zip(rows, labels, strict=True)],
    )
    # As long as nobody has labelled, nothing changes.
    nobody = tmp_path / "nobody.csv"
    write_image_table(nobody, [{**row, "label": ""} for row in rows])
    same = folders.with_labels(nobody)
    assert len(same.labeled[0]) == 2 and len(same.unlabeled) == 3
    more = folders.with_labels(file)
    np.testing.assert_array_equal(more.labeled[0][2:], images)
    np.testing.assert_array_equal(more.labeled[1][2:], [1, 0])
    assert more.labeled[1].dtype == folders.labeled[1].dtype
    stems = {
        part: [pathlib.Path(path).stem for path in paths]
        for part, paths in more.file_paths.items()
    }
    assert stems["unlabeled"] == ["b"] and stems["labeled"][2:] == ["c", "a"]
    assert len(more.unlabeled) == 1
    origins = {pathlib.Path(path).stem: o for path, o in more.origins.items()}
    assert origins == {
        "c": {"file": str(file), "by": "", "at": ""},
        "a": {"file": str(file), "by": "Ada", "at": ""},
    }
    assert folders.origins == {}
    # The folders before and the files are as they were.
    assert len(folders.unlabeled) == 3 and len(folders.labeled[0]) == 2
    assert (tmp_path / "pool" / "a.png").exists()
    # A label that was given stays as it is.
    rows = image_rows(image_source(folders.unlabeled), [place["a"]], images[1:])
    write_image_table(file, [{**rows[0], "label": "dog"}])
    with pytest.raises(ValueError, match="none of its 1 images is among them"):
        more.with_labels(file)
    alone = load_image_folders(tmp_path / "classes", verbose=0)
    with pytest.raises(ValueError, match="none to be labelled"):
        alone.with_labels(file)
    # Until all have a label.
    rows = image_rows(
        image_source(more.unlabeled), np.array([0]), np.asarray(more.unlabeled)
    )
    write_image_table(file, [{**rows[0], "label": "dog"}])
    done = more.with_labels(file)
    assert done.unlabeled is None and "unlabeled" not in done.file_paths
    assert len(done.labeled[0]) == 5
