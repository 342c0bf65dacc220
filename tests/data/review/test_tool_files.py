"""The files have the forms that the other tools document.

They were also read by cleanlab 2.9 (`CleanLearning.fit(label_issues=...)`) and
by label-studio-sdk 2.1 (`LabelInterface.validate_prediction`, and `Converter`,
which writes the CSV files that people export).
"""

import csv
import json
import pathlib
import xml.etree.ElementTree

import numpy as np
import pytest

from keras_fewlabels.data import read_new_labels
from keras_fewlabels.data.review.tool_files import (
    check_tool_formats,
    write_cleanlab,
    write_tool_files,
)

NAMES = ["cat", 'a "dog" <b>']
ROWS = [
    {"index": 7, "path": "photos/é 7.jpg", "hash": "h0123456789abcdef"},
    {"index": 2, "path": "photos/2.jpg", "hash": "h0123456789abcde0"},
]


@pytest.fixture
def folder(tmp_path):
    # Labels may be longer than the rows: those of all audited images.
    write_tool_files(
        tmp_path,
        ["cleanlab", "fiftyone", "label_studio"],
        ROWS,
        labels=np.array([1, 0, 1]),
        confidences=np.array([0.25, 0.75, 0.5]),
        scores={"gain": np.array([0.5, 0.125, 0.0])},
        class_names=NAMES,
    )
    return tmp_path


def load(file):
    return json.loads(file.read_text("utf-8"))


def test_fiftyone_reads_the_files_where_they_are(folder):
    dataset = load(folder / "fiftyone.json")
    assert dataset["classes"] == NAMES
    paths = [str(pathlib.Path(row["path"]).resolve()) for row in ROWS]
    assert dataset["labels"] == {
        paths[0]: {
            "label": 1,
            "confidence": 0.25,
            "attributes": {"rank": 1, "gain": 0.5},
        },
        paths[1]: {
            "label": 0,
            "confidence": 0.75,
            "attributes": {"rank": 2, "gain": 0.125},
        },
    }


def test_predictions_of_label_studio_fit_its_interface(folder):
    interface = xml.etree.ElementTree.parse(folder / "label_studio.xml")
    (image,) = interface.iter("Image")
    (control,) = interface.iter("Choices")
    names = [choice.get("value") for choice in control.iter("Choice")]
    assert names == NAMES
    assert control.get("toName") == image.get("name")
    tasks = load(folder / "label_studio.json")
    for task, label in zip(tasks, [1, 0], strict=True):
        assert image.get("value").removeprefix("$") in task["data"]
        ((result,),) = [each["result"] for each in task["predictions"]]
        assert result["from_name"] == control.get("name")
        assert result["to_name"] == image.get("name")
        assert result["type"] == "choices"
        assert result["value"] == {"choices": [NAMES[label]]}
    assert tasks[0]["predictions"][0]["score"] == 0.25
    # Below LOCAL_FILES_DOCUMENT_ROOT=/, as an address.
    where = pathlib.Path("photos").resolve().as_posix().lstrip("/")
    address = f"/data/local-files/?d={where}/%C3%A9%207.jpg"
    assert tasks[0]["data"]["image"] == address


def test_labels_given_in_label_studio_are_read(folder, tmp_path):
    # Its CSV files have the data of a task, and a column per control.
    tasks = load(folder / "label_studio.json")
    rows = [{**task["data"], "label": NAMES[1]} for task in tasks]
    with open(tmp_path / "export.csv", "w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    class Photos:
        shape, dtype = (8, 1, 1, 1), np.dtype("uint8")
        file_paths = [f"photos/{number}.jpg" for number in range(7)]
        file_paths.append("photos/é 7.jpg")

        def __len__(self):
            return 8

        def __getitem__(self, indices):
            return np.zeros((8, 1, 1, 1), "uint8")[indices]

    indices, labels = read_new_labels(
        Photos(), tmp_path / "export.csv", class_names=NAMES
    )
    assert (indices.tolist(), labels.tolist()) == ([7, 2], [1, 1])


def test_cleanlab_gets_a_row_per_image_in_their_order(tmp_path):
    write_cleanlab(
        tmp_path / "cleanlab.json",
        np.array([7, 2]),
        {"is_label_issue": np.array([True, False])},
    )
    # What `pandas.read_json` makes a column with an index of.
    table = load(tmp_path / "cleanlab.json")
    assert table == {"is_label_issue": {"2": False, "7": True}}
    assert list(table["is_label_issue"]) == ["2", "7"]


def test_formats_that_name_files_need_them():
    rows = [{**ROWS[0], "path": ""}]
    choices = ("cleanlab", "fiftyone")
    check_tool_formats((), choices, rows)
    check_tool_formats(["cleanlab"], choices, rows)
    check_tool_formats(["fiftyone"], choices, ROWS)
    with pytest.raises(ValueError, match="Pass them as `paths`"):
        check_tool_formats(["fiftyone"], choices, rows)
