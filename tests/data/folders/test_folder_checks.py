import dataclasses
import os
import pathlib

import pytest

from keras_fewlabels.data.folders.examine_folders import FoundImage
from keras_fewlabels.data.folders.folder_checks import (
    check_folders,
    check_images_left,
    check_validation,
    checked_classes,
)
from keras_fewlabels.data.folders.folder_findings import FolderFindings


@pytest.fixture
def root(tmp_path):
    for name in ("a/rose", "a/daisy", "pool/deep", "test/rose", "file"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_folders_beside_one_another(root):
    roots = check_folders(
        {"labeled": root / "a", "unlabeled": str(root / "pool"), "test": None}
    )
    assert roots == {"labeled": f"{root}/a", "unlabeled": f"{root}/pool"}
    # One name begins with the other, but it is not inside.
    (root / "pool too").mkdir()
    check_folders({"labeled": root / "pool", "unlabeled": root / "pool too"})


@pytest.mark.parametrize("other", ["pool", "pool/deep", ".", "link"])
def test_folders_inside_one_another_are_refused(root, other):
    os.symlink(root / "pool", root / "link")
    for first, second in ("pool", other), (other, "pool"):
        with pytest.raises(ValueError, match=r"folder of its own.*labeled='"):
            check_folders(
                {
                    "labeled": str(root / first),
                    "unlabeled": str(root / second),
                }
            )


@pytest.mark.parametrize("wrong", ["missing", 3, b"pool", ["pool"]])
def test_other_values_than_folders_are_refused(root, wrong):
    with pytest.raises(ValueError, match=r"`test` must be the path.*Received"):
        check_folders({"test": wrong})


def test_classes_come_from_the_labelled_folder(root):
    roots = {"labeled": root / "a", "test": root / "test"}
    assert checked_classes(roots) == ["daisy", "rose"]


@pytest.mark.parametrize(
    "names",
    [
        ("labeled", "unlabeled", "test"),
        ("Train", "Val"),
        ("labeled", "other"),
        ("images",),
    ],
)
def test_a_folder_one_level_too_high_is_refused(tmp_path, names):
    for name in names:
        (tmp_path / name / "rose").mkdir(parents=True)
        (tmp_path / name / "tulip").mkdir()
    way_out = f"`labeled='{tmp_path / names[0]}'`"
    with pytest.raises(ValueError, match=f"folders of folders.*{way_out}"):
        checked_classes({"labeled": str(tmp_path)})


@pytest.mark.parametrize(
    "folders",
    [
        ("test/1.png", "rose/1.png"),
        ("positive/2023", "negative/2023"),
        ("train/1.png", "bus/1.png", "tram/night"),
        ("train/steam", "bus/1.png"),
    ],
)
def test_classes_may_have_such_names(tmp_path, folders):
    for folder in folders:
        (tmp_path / folder).parent.mkdir(exist_ok=True)
        if folder.endswith(".png"):
            (tmp_path / folder).touch()
        else:
            (tmp_path / folder).mkdir()
    names = checked_classes({"labeled": str(tmp_path)})
    assert names == sorted(name.partition("/")[0] for name in folders)


def test_the_home_folder_is_expanded(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root))
    for folder in "~/pool", pathlib.Path("~/pool"):
        assert check_folders({"test": folder}) == {"test": f"{root}/pool"}
    with pytest.raises(ValueError, match=r"folder that exists.*~nobody"):
        check_folders({"test": "~nobody at all/pool"})


def test_wrong_class_folders_are_refused(root):
    with pytest.raises(ValueError, match=r"two or more.*folders \['deep'\]"):
        checked_classes({"labeled": root / "pool"})
    (root / "test/tulip").mkdir()
    with pytest.raises(ValueError, match=r"`test` must.*\['tulip'\] in test"):
        checked_classes({"labeled": root / "a", "test": root / "test"})
    for name in ("caf\u00e9", "cafe\u0301"):
        (root / "a" / name).mkdir()
    if len(list((root / "a").iterdir())) == 4:  # Not on every file system.
        with pytest.raises(ValueError, match="accents"):
            checked_classes({"labeled": root / "a"})


@pytest.mark.parametrize(
    "validation, split, message",
    [
        ("folder", 0.2, "either a folder `validation` or"),
        (None, 0.7, r"a number in \(0, 0.5\]"),
        (None, 0, r"a number in \(0, 0.5\]"),
        (None, "0.2", r"a number in \(0, 0.5\]"),
    ],
)
def test_wrong_validation_is_refused(validation, split, message):
    with pytest.raises(ValueError, match=rf"{message}.*Received"):
        check_validation(validation, split)


def test_one_source_of_validation_images_or_none():
    check_validation(None, None)
    check_validation("folder", None)
    check_validation(None, 0.5)


def test_parts_and_classes_without_images_are_refused():
    findings = FolderFindings({}, [], ["what was found"])
    image = FoundImage("labeled", "rose/1", "rose/1", 1, (4, 4), b"1")
    names = ["daisy", "rose"]
    with pytest.raises(ValueError, match=r"(?s)\['daisy'\].*what was found"):
        check_images_left({"labeled": [image]}, names, findings)
    with pytest.raises(ValueError, match=r"(?s)`test` must hold.*what was"):
        check_images_left({"labeled": [image], "test": []}, names, findings)
    daisy = dataclasses.replace(image, label=0)
    check_images_left({"labeled": [image, daisy]}, names, findings)
