import json
import pathlib
import re

import numpy as np

import keras_fewlabels
from keras_fewlabels.data.folders.folder_findings import (
    SKIPPED,
    USED,
    Finding,
    FolderFindings,
)

FOLDERS = {
    "test": {
        "path": "held/out",
        "num_files": 1,
        "num_images": 1,
        "class_counts": {"ant": 1, "bee": 0},
    },
    "unlabeled": {
        "path": "pool",
        "num_files": 2400,
        "num_images": 2392,
        "class_counts": None,
    },
}
FINDINGS = [
    *(Finding("grey", "unlabeled", f"{n}.png", "PNG") for n in range(7)),
    Finding("16 bits", "unlabeled", "3.png", "PNG"),
    Finding("damaged", "test", "ant/1.jpg", "image file is truncated"),
    Finding("empty", "unlabeled", "x"),
]


def test_table():
    findings = FolderFindings(FOLDERS, FINDINGS, ["first note"], (64, 48))
    assert str(findings).splitlines() == [
        "test: 1 image of 1 file in held/out (ant 1, bee 0)",
        "unlabeled: 2,392 images of 2,400 files in pool",
        "first note",
        "2 files skipped",
        "  empty (0 bytes): 1",
        "    unlabeled: x",
        "  damaged (cannot be decoded): 1",
        "    test: ant/1.jpg (image file is truncated)",
        # Not 8: one of the grey files has 16 bits, too.
        "7 files used, but look at them",
        "  16 bits (the upper 8 are used): 1",
        "    unlabeled: 3.png (PNG)",
        "  grey (in three equal channels): 7",
        *(f"    unlabeled: {number}.png (PNG)" for number in range(5)),
        "    and 2 more",
    ]


def test_dict_has_every_file_and_is_a_copy():
    findings = FolderFindings(FOLDERS, FINDINGS, [], (64, 48))
    details = findings.to_dict()
    assert json.loads(json.dumps(details)) == details
    assert details["folders"] == FOLDERS
    assert details["image_size"] == [64, 48]
    grey = details["used"][-1]
    assert (grey["kind"], grey["count"], len(grey["files"])) == ("grey", 7, 7)
    assert details["skipped"][1]["files"] == [
        {
            "part": "test",
            "file": "ant/1.jpg",
            "detail": "image file is truncated",
        }
    ]
    details["folders"]["test"]["class_counts"]["ant"] = np.nan
    assert findings.folders["test"]["class_counts"]["ant"] == 1


def test_nothing_found():
    findings = FolderFindings(FOLDERS, [], [])
    assert len(str(findings).splitlines()) == 2
    assert findings.to_dict()["skipped"] == []
    assert findings.to_dict()["image_size"] is None


DATA = pathlib.Path(keras_fewlabels.__file__).parent / "data"


def test_details_may_be_empty():
    assert Finding("grey", "test", "a.png").detail == ""


def test_each_kind_is_found_somewhere():
    # A kind that is found but not in the tables would never be reported.
    assert not SKIPPED.keys() & USED.keys()
    sources = "".join(
        path.read_text()
        for path in DATA.rglob("*.py")
        if path.name != "folder_findings.py"
    )
    for kind in SKIPPED.keys() | USED.keys():
        assert f'"{kind}"' in sources
    named = re.findall(r'(?:UnusableImage|Finding)\(\s*"([\w ]+)"', sources)
    assert named and set(named) <= SKIPPED.keys() | USED.keys()
