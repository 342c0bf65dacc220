import csv
import json

import numpy as np
import pytest

from keras_fewlabels.data import read_veto, without_vetoed
from keras_fewlabels.data.copies import Copy
from keras_fewlabels.data.review import image_rows
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.pool.class_shares import ClassShares
from keras_fewlabels.evaluation.pool.foreign_images import ForeignImages
from keras_fewlabels.evaluation.pool.pool_examination import PoolExamination

IMAGES = np.arange(5 * 4, dtype="uint8").reshape(5, 2, 2, 1)
ORDER = np.array([3, 0, 4])


@pytest.fixture
def examination():
    return PoolExamination(
        ForeignImages(
            np.array([1.0, -0.5, -1.0, 2.0, 0.0]),
            np.array([0.25, 1.0, 1.0, 0.01, 0.75]),
            0.4,
            (0.125, 0.625),
        ),
        ClassShares(
            np.array([0.75, 0.24, 0.01]),
            np.array([[0.5, 0.9], [0.1, 0.5], [0.0, 0.1]]),
        ),
        [
            Copy("labeled", 1, "test", 0, 0.9),
            Copy("unlabeled", 0, "labeled", 2, 1.0),
            Copy("unlabeled", 4, "test", 2, 0.95),
            Copy("unlabeled", 2, "test", 2, 0.95),
        ],
        IMAGES[ORDER[:2]],
        image_rows(image_source(IMAGES), ORDER, IMAGES[ORDER]),
        ["ant", "bee", "cow"],
    )


def test_table(examination):
    expected = """
        foreign: 40 % (12 to 62 %) of 5 unlabelled images, 2 of them named

        class share interval
        ant 75 % 50 to 90 %
        bee 24 % 10 to 50 %
        cow 1 % 0 to 10 % seems to be missing

        copies images
        labeled of test 1
        unlabeled of labeled 1
        unlabeled of test 2"""
    assert [line.split() for line in str(examination).splitlines()] == [
        line.split() for line in expected.splitlines()[1:]
    ]


def test_what_is_unknown_is_not_shown(examination):
    foreign = ForeignImages(np.zeros(5), np.ones(5), None, (0.0, 1.0))
    empty = PoolExamination(foreign, None, [], IMAGES, [])
    assert str(empty) == (
        "foreign: unknown (0 to 100 %) of 5 unlabelled images, 0 of them named"
    )
    assert empty.class_shares is None and empty.missing_classes == []
    assert json.loads(json.dumps(empty.to_dict()))["foreign_share"] is None


def test_attributes_are_those_of_the_parts(examination):
    assert examination.is_foreign.tolist() == [True, False, False, True, False]
    assert examination.leaks.tolist() == [2, 4]
    assert examination.missing_classes == [2]
    assert examination.class_shares.tolist() == [0.75, 0.24, 0.01]
    assert examination.class_intervals.shape == (3, 2)
    assert (examination.foreign_share, examination.scores[3]) == (0.4, 2)


def test_dict_survives_json(examination):
    content = json.loads(json.dumps(examination.to_dict()))
    assert content["num_foreign"] == 2
    assert content["weights"] == [0.25, 1, 1, 0.01, 0.75]
    assert content["copies"][0] == {
        "part": "labeled",
        "index": 1,
        "other_part": "test",
        "other_index": 0,
        "correlation": 0.9,
    }


def test_figure_shows_the_most_foreign_images(examination):
    texts = [text.get_text() for text in examination.figure().axes[0].texts]
    assert texts[:2] == [
        "#1  score 2.0\nlike the labels: 1 %",
        "#2  score 1.0\nlike the labels: 25 %",
    ]


def test_saved_veto_is_obeyed_as_it_is_and_as_edited(examination, tmp_path):
    examination.save(tmp_path)
    file = tmp_path / "veto.csv"
    assert (tmp_path / "pool_examination.png").exists()
    content = json.loads((tmp_path / "pool_examination.json").read_text())
    assert content == examination.to_dict()
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["suggestion"] for row in rows] == ["yes", "yes", "yes"]
    assert [row["copy_of"] for row in rows] == ["", "labeled 2", "test 2"]
    with pytest.warns(UserWarning, match="Nothing is vetoed"):
        assert read_veto(IMAGES, file).tolist() == []
    file.write_text(file.read_text().replace("\n1,,yes", "\n1,yes,yes"))
    assert read_veto(IMAGES, file).tolist() == [3]
    np.testing.assert_array_equal(
        without_vetoed(IMAGES, file), IMAGES[[0, 1, 2, 4]]
    )
    with pytest.raises(ValueError, match="must not be written over"):
        examination.save(tmp_path)
