"""The folders stay short, and each file has its test in the same place."""

import pathlib

import pytest

import keras_fewlabels

PACKAGE = pathlib.Path(keras_fewlabels.__file__).parent
TESTS = pathlib.Path(__file__).parent
FOLDERS = [path.parent for path in sorted(PACKAGE.rglob("__init__.py"))]
FILES = [
    path for path in sorted(PACKAGE.rglob("*.py")) if path.stem != "__init__"
]


def name_of(path):
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_folder_has_at_most_twelve_entries(folder):
    entries = {path.name for path in folder.iterdir()}
    entries -= {"__init__.py", "__pycache__"}
    assert len(entries) <= 12


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_has_its_test_in_the_same_place(path):
    folder = TESTS / path.relative_to(PACKAGE).parent
    assert (folder / f"test_{path.name}").is_file()
