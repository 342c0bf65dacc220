import dataclasses
import json

import numpy as np
import pytest

from keras_fewlabels.data import read_new_labels
from keras_fewlabels.data.review.image_table import image_rows
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.evaluation.review.label_proposals import LabelProposals

IMAGES = np.arange(5 * 4, dtype="uint8").reshape(5, 2, 2, 1)
CHOSEN = np.array([3, 0])


@pytest.fixture
def proposals():
    return LabelProposals(
        indices=CHOSEN,
        predicted=np.array([1, 0]),
        confidence=np.array([0.5625, 0.875]),
        uncertainty=np.array([0.875, 0.25]),
        distance=np.array([1.25, 0.5]),
        class_need=np.array([1.5, 0.75]),
        gain=np.array([0.0625, 0.03125]),
        images=IMAGES[CHOSEN],
        rows=image_rows(image_source(IMAGES), CHOSEN, IMAGES[CHOSEN]),
        num_classes=2,
        class_names=["cat", "dog"],
    )


def test_table(proposals):
    assert [line.split() for line in str(proposals).splitlines()[1:]] == [
        ["1", "3", "dog", "0.88", "1.25", "1.50", "6.2", "%"],
        ["2", "0", "cat", "0.25", "0.50", "0.75", "3.1", "%"],
    ]


def test_dict_survives_json(proposals):
    columns = json.loads(json.dumps(proposals.to_dict()))
    assert columns["index"] == [3, 0]
    assert columns["gain"] == [0.0625, 0.03125]


def test_figure_shows_ranks(proposals):
    texts = [text.get_text() for text in proposals.figure().axes[0].texts]
    assert texts[:2] == ["#1\ndog?", "#2\ncat?"]


def test_file_is_filled_in_and_read(proposals, tmp_path):
    proposals.save(tmp_path)
    assert (tmp_path / "label_proposals.png").read_bytes()[1:4] == b"PNG"
    ranking = (tmp_path / "label_proposals.json").read_text()
    assert json.loads(ranking) == proposals.to_dict()
    file = tmp_path / "to_label.csv"
    assert len(read_new_labels(IMAGES, file)[0]) == 0
    file.write_text(file.read_text().replace("\n1,,", "\n1,cat,"))
    indices, labels = read_new_labels(IMAGES, file, class_names=["cat", "dog"])
    assert (indices.tolist(), labels.tolist()) == ([3], [0])
    # What somebody has written is not lost.
    with pytest.raises(ValueError, match="2 rows, 1 of them"):
        proposals.save(tmp_path)
    assert ",cat," in file.read_text()


def test_several_labels_are_typed_and_read(proposals, tmp_path):
    proposals = dataclasses.replace(proposals, several_labels=True)
    assert "in question" in str(proposals).splitlines()[0]
    proposals.save(tmp_path)
    file = tmp_path / "to_label.csv"
    text = file.read_text()
    assert text.startswith("rank,label,in_question,")
    text = text.replace("\n1,,", "\n1,cat; dog,").replace("\n2,,", "\n2,none,")
    file.write_text(text)
    indices, labels = read_new_labels(
        IMAGES, file, class_names=["cat", "dog"], several_labels=True
    )
    assert indices.tolist() == [3, 0]
    assert labels.tolist() == [[1, 1], [0, 0]] and labels.dtype == "float32"
    page = (tmp_path / "index.html").read_text()
    assert "Which labels are true?" in page and "cat\ndog" in page
    with pytest.raises(ValueError, match=r"Leave out `formats`.*fiftyone"):
        proposals.save(tmp_path / "other", formats=["fiftyone"])


def test_file_without_labels_is_written_over(proposals, tmp_path):
    proposals.save(tmp_path)
    dataclasses.replace(proposals, gain=proposals.gain / 2).save(tmp_path)
    assert "0.0312" in (tmp_path / "to_label.csv").read_text()


def test_other_tools_get_their_files(proposals, tmp_path):
    rows = [{**row, "path": f"{row['index']}.png"} for row in proposals.rows]
    proposals = dataclasses.replace(proposals, rows=rows)
    proposals.save(tmp_path, formats=["fiftyone", "label_studio"])
    dataset = json.loads((tmp_path / "fiftyone.json").read_text())
    assert dataset["classes"] == ["cat", "dog"]
    assert [label["label"] for label in dataset["labels"].values()] == [1, 0]
    (task, _) = json.loads((tmp_path / "label_studio.json").read_text())
    assert (task["data"]["index"], task["data"]["gain"]) == (3, 0.0625)
