import csv
import dataclasses
import json

import numpy as np
import pytest

from keras_fewlabels.data import read_veto
from keras_fewlabels.data.review.image_table import image_rows
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.evaluation.review.pseudo_label_audit import (
    PseudoLabelAudit,
)

IMAGES = np.arange(5 * 4, dtype="uint8").reshape(5, 2, 2, 1)


@pytest.fixture
def audit():
    order = np.array([3, 0, 4])
    return PseudoLabelAudit(
        indices=order,
        labels=np.array([1, 0, 1]),
        confidence=np.array([0.996, 0.5, 0.75]),
        agreement=np.array([0.125, 0.75, 1.0]),
        neighbor_labels=np.array([0, 0, 1]),
        flip_rate=np.array([0.0, 0.5, 0.0]),
        images=IMAGES[order[:2]],
        rows=image_rows(image_source(IMAGES), order[:2], IMAGES[order[:2]]),
        class_names=["cat", "dog"],
    )


def test_disagreement_and_flips_count_alike(audit):
    np.testing.assert_allclose(audit.scores, [0.875, 0.625, 0])
    assert audit.is_outvoted.tolist() == [True, False, False]


def test_table(audit):
    expected = """
        rank image label confidence neighbours that agree flips
        1 3 dog 100 % cat 12 % 0 %
        2 0 cat 50 % cat 75 % 50 %
        3 4 dog 75 % dog 100 % 0 %

        3 pseudo-labels, 1 of them outvoted by its neighbours"""
    assert [line.split() for line in str(audit).splitlines()] == [
        line.split() for line in expected.splitlines()[1:]
    ]


def test_dict_survives_json(audit):
    columns = json.loads(json.dumps(audit.to_dict()))
    assert columns["index"] == [3, 0, 4]
    assert columns["score"] == [0.875, 0.625, 0]
    assert {len(column) for column in columns.values()} == {3}


def test_figure_shows_the_first_images(audit):
    texts = [text.get_text() for text in audit.figure().axes[0].texts]
    assert texts[:2] == [
        "#1  dog, 100 %\nneighbours: cat",
        "#2  cat, 50 %\nneighbours agree, flips 50 %",
    ]


def test_saved_veto_is_obeyed_as_it_is_and_as_edited(audit, tmp_path):
    audit.save(tmp_path / "audit")
    file = tmp_path / "audit" / "veto.csv"
    assert (tmp_path / "audit" / "pseudo_label_audit.png").exists()
    ranking = tmp_path / "audit" / "pseudo_label_audit.json"
    assert json.loads(ranking.read_text()) == audit.to_dict()
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["veto"] for row in rows] == ["", ""]
    assert [row["suggestion"] for row in rows] == ["yes", "no"]
    assert [row["label"] for row in rows] == ["dog", "cat"]
    with pytest.warns(UserWarning, match="Nothing is vetoed"):
        assert read_veto(IMAGES, file).tolist() == []
    file.write_text(file.read_text().replace("\n2,,no", "\n2,yes,no"))
    assert read_veto(IMAGES, file).tolist() == [0]
    with pytest.raises(ValueError, match=r"somebody has filled.*'veto'"):
        audit.save(tmp_path / "audit")
    assert read_veto(IMAGES, file).tolist() == [0]


def test_floats_of_no_range_are_refused_before_anything_is_written(
    audit, tmp_path
):
    floats = dataclasses.replace(audit, images=audit.images * 99.0)
    with pytest.raises(ValueError, match=r"`value_range=\(black, white\)`"):
        floats.save(tmp_path / "audit")
    assert not (tmp_path / "audit").exists()
    floats.save(tmp_path / "audit", value_range=(0, 2000))


def test_other_tools_get_their_files(audit, tmp_path):
    rows = [{**row, "path": f"{row['index']}.png"} for row in audit.rows]
    audit = dataclasses.replace(audit, rows=rows, class_names=None)
    audit.save(tmp_path, formats=["cleanlab", "fiftyone", "label_studio"])
    table = json.loads((tmp_path / "cleanlab.json").read_text())
    assert table == {
        "is_label_issue": {"0": False, "3": True, "4": False},
        "label_quality": {"0": 0.375, "3": 0.125, "4": 1.0},
        "given_label": {"0": 0, "3": 1, "4": 1},
        "predicted_label": {"0": 0, "3": 0, "4": 1},
    }
    dataset = json.loads((tmp_path / "fiftyone.json").read_text())
    assert dataset["classes"] == ["0", "1"]
    first = next(iter(dataset["labels"].values()))
    assert first["attributes"]["doubt"] == 0.875
    (task, _) = json.loads((tmp_path / "label_studio.json").read_text())
    (prediction,) = task["predictions"]
    assert prediction["score"] == 0.996
    assert prediction["result"][0]["value"] == {"choices": ["1"]}
