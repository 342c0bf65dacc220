import os

import pytest

from keras_fewlabels.data.folders.find_files import (
    class_folders,
    class_name,
    find_files,
)


@pytest.fixture
def root(tmp_path):
    for path in ("b/2.png", "b/deep/1.png", "a.png", "c/3.png"):
        (tmp_path / "root" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / path).touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "4.png").touch()
    return tmp_path / "root"


def link(path, target):
    os.symlink(target, path, target_is_directory=True)


def test_all_files_sorted_and_hidden_ones_passed_over(root):
    for hidden in (".DS_Store", "b/Thumbs.db", ".git/x", "__MACOSX/y", "b/._2"):
        (root / hidden).parent.mkdir(exist_ok=True)
        (root / hidden).touch()
    assert find_files(str(root)) == (
        ["a.png", "b/2.png", "b/deep/1.png", "c/3.png"],
        [],
    )


def test_links_are_followed(root):
    link(root / "b/more", root.parent / "other")
    link(root / "5.png", root.parent / "other/4.png")
    files, faults = find_files(str(root))
    assert {"b/more/4.png", "5.png"} < set(files)
    assert faults == []


@pytest.mark.parametrize("target", [".", "..", "../..", "/"])
def test_loops_are_named_and_not_entered(root, target):
    link(root / "b/deep/loop", target)
    files, faults = find_files(str(root))
    assert files == ["a.png", "b/2.png", "b/deep/1.png", "c/3.png"]
    where = os.path.realpath(root / "b/deep/loop")
    assert faults == [("b/deep/loop", "folder link", f"to {where}")]


def test_no_folder_is_read_twice(root):
    # The links come before the folders, by name; the folders keep their files.
    link(root / "a_link", "c")
    link(root / "b/to_other", root.parent / "other")
    link(root / "b/to_other_too", root.parent / "other")
    files, faults = find_files(str(root))
    assert files == [
        "a.png",
        "b/2.png",
        "b/deep/1.png",
        "b/to_other/4.png",
        "c/3.png",
    ]
    assert [fault[:2] for fault in faults] == [
        ("a_link", "folder link"),
        ("b/to_other_too", "folder link"),
    ]


def test_two_folders_that_lead_into_each_other(root):
    link(root / "b/to_other", root.parent / "other")
    link(root.parent / "other/back", root)
    files, faults = find_files(str(root))
    assert len(files) == 5
    assert [fault[0] for fault in faults] == ["b/to_other/back"]


def test_entries_that_are_no_files_are_reported(root):
    link(root / "gone", "nowhere")
    link(root / "self", "self")
    os.mkfifo(root / "pipe.png")
    files, faults = find_files(str(root))
    assert len(files) == 4
    assert [fault[:2] for fault in faults] == [
        ("gone", "unreadable"),
        ("pipe.png", "unreadable"),
        ("self", "unreadable"),
    ]
    assert "No such file" in faults[0][2]


def test_classes_are_the_folders(root):
    (root / "empty").mkdir()
    (root / ".hidden").mkdir()
    link(root / "d", root.parent / "other")
    assert class_folders(root) == ["b", "c", "d", "empty"]
    assert class_name(os.path.join("b", "deep", "1.png")) == "b"


def test_one_class_however_its_accents_are_stored():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert composed != decomposed
    assert class_name(f"{decomposed}/1.png") == class_name(composed) == composed


def test_class_names_are_harmless_text():
    assert class_name(os.fsdecode(b"caf\xe9/1.png")) == "caf\\xe9"
    assert class_name("rose\n\x1b[2J/1.png") == "rose\\n\\x1b[2J"
