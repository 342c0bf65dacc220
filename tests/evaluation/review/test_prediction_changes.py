import csv
import dataclasses
import json

import numpy as np
import pytest

from keras_fewlabels.data.review.image_table import image_rows
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.evaluation.review.prediction_changes import (
    PredictionChanges,
)
from keras_fewlabels.evaluation.verdicts import Verdict

IMAGES = np.arange(5 * 4, dtype="uint8").reshape(5, 2, 2, 1)
ORDER = np.array([4, 1, 2])


@pytest.fixture
def changes():
    return PredictionChanges(
        before=np.array([0, 0, 1, 2, 0]),
        after=np.array([0, 1, 0, 2, 1]),
        order=ORDER,
        num_classes=3,
        images=IMAGES[ORDER],
        rows=image_rows(image_source(IMAGES), ORDER, IMAGES[ORDER]),
        truth=np.array([0, 1, 1, 2, 2]),
        contradicted=np.array([1]),
        class_names=["ant", "bee", "cat"],
    )


def test_fixed_and_broken(changes):
    assert changes.verdict == Verdict(5, num_gained=1, num_lost=1)
    classes = changes.to_dict()["classes"]
    assert classes["won"] == classes["lost"] == [0, 1, 0]
    assert classes["before"] == [3, 1, 1]
    assert classes["after"] == [2, 2, 1]


def test_without_the_truth_classes_win_what_they_take(changes):
    unknown = dataclasses.replace(changes, truth=None)
    assert unknown.verdict is unknown.to_dict()["verdict"] is None
    classes = unknown.to_dict()["classes"]
    assert (classes["won"], classes["lost"]) == ([1, 2, 0], [2, 1, 0])
    assert "3 of 5 predictions flipped\n1 pseudo" in str(unknown)


def test_table(changes):
    expected = """
        class won lost before after
        ant 0 0 3 2
        bee 1 1 1 2
        cat 0 0 1 1

        3 of 5 predictions flipped: 1 fixed, 1 broken, 1 still wrong
        accuracy 60.0 % -> 60.0 %
        cannot tell: 0.0 points (-48.5 to 48.5) on 5 images
        1 pseudo-labels are contradicted"""
    assert [line.split() for line in str(changes).splitlines()] == [
        line.split() for line in expected.splitlines()[1:]
    ]


def test_dict_survives_json(changes):
    figures = json.loads(json.dumps(changes.to_dict()))
    assert figures["flipped"] == [4, 1, 2]
    assert figures["contradicted"] == [1]
    assert figures["verdict"]["is_better"] is None


def test_flips_figure_names_each_change(changes):
    texts = [text.get_text() for text in changes.flips_figure().axes[0].texts]
    assert texts[:3] == [
        "ant > bee\nwrong, is cat", "ant > bee\nfixed", "bee > ant\nbroken"
    ]  # fmt: skip


def test_saved_and_saved_again_without_a_flip(changes, tmp_path):
    changes.save(tmp_path)
    rows = list(
        csv.DictReader((tmp_path / "flips.csv").read_text().splitlines())
    )
    assert [row["index"] for row in rows] == ["4", "1", "2"]
    assert [row["kind"] for row in rows] == ["still wrong", "fixed", "broken"]
    assert {file.name for file in tmp_path.iterdir()} == {
        "flips.csv", "flips.png", "prediction_changes.json",
        "prediction_changes.png",
    }  # fmt: skip
    same = dataclasses.replace(
        changes, after=changes.before, order=ORDER[:0], images=IMAGES[:0]
    )
    assert same.flips_figure() is None
    same.save(tmp_path)
    # No file of the first result is left beside those of the second.
    assert {file.name for file in tmp_path.iterdir()} == {
        "prediction_changes.json", "prediction_changes.png"
    }  # fmt: skip


def test_figure_shows_what_each_class_won_and_lost(changes):
    (axes,) = changes.figure().axes
    won, lost = axes.containers
    assert [bar.get_width() for bar in won] == [0, 1, 0]
    assert [bar.get_width() for bar in lost] == [0, -1, 0]
