import csv

import numpy as np
import pytest

from keras_fewlabels.data import read_new_labels
from keras_fewlabels.data.review.image_table import (
    image_rows,
    write_image_table,
)
from keras_fewlabels.data.sources.image_source import image_source

IMAGES = np.arange(7 * 4, dtype="uint8").reshape(7, 2, 2, 1)
NAMES = ["ant", "bee", "cat"]


def filled_in(tmp_path, labels, numbers=(4, 1, 6)):
    source = image_source(IMAGES)
    rows = image_rows(source, numbers, source.take(numbers))
    file = tmp_path / "to_label.csv"
    write_image_table(file, [{"label": "", **row} for row in rows])
    rows = list(csv.DictReader(file.read_text().splitlines()))
    for row, label in zip(rows, labels, strict=True):
        row["label"] = label
    write_image_table(file, rows)
    return file


def test_rows_without_a_label_are_left_out(tmp_path):
    file = filled_in(tmp_path, ["2", "", "0"])
    indices, labels = read_new_labels(IMAGES, file)
    assert indices.tolist() == [4, 6]
    assert labels.tolist() == [2, 0]


def test_names_and_numbers_of_classes(tmp_path):
    file = filled_in(tmp_path, [" cat", "1", "ant"])
    _, labels = read_new_labels(IMAGES, file, class_names=NAMES)
    assert labels.tolist() == [2, 1, 0]


def test_images_that_have_left_the_pool_are_passed_over(tmp_path):
    file = filled_in(tmp_path, ["2", "1", "0"])
    pool = np.delete(IMAGES, [1], axis=0)
    with pytest.warns(UserWarning, match=r"1 of the 3 labels.*any more"):
        indices, labels = read_new_labels(pool, file)
    np.testing.assert_array_equal(pool[indices], IMAGES[[4, 6]])
    assert labels.tolist() == [2, 0]


def test_who_gave_a_label_and_when(tmp_path):
    file = filled_in(tmp_path, ["2", "1", "0"])
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [o["by"] for o in read_origins(file)] == ["", "", ""]
    for row, name in zip(rows, ("Ada", "", "=Bo"), strict=True):
        row |= {"answered_by": name, "answered_at": "2026-11-29T12:00:00Z"}
    rows[1]["label"] = ""
    write_image_table(file, rows)
    time = "2026-11-29T12:00:00Z"
    assert read_origins(file) == [
        {"file": str(file), "by": "Ada", "at": time},
        {"file": str(file), "by": "=Bo", "at": time},
    ]


def read_origins(file):
    return read_new_labels(IMAGES, file, return_origins=True)[2]


def read_several(file, names=NAMES):
    return read_new_labels(IMAGES, file, class_names=names, several_labels=True)


def test_several_labels_of_an_image(tmp_path):
    file = filled_in(tmp_path, ["cat; ant ;", " None", ""])
    indices, labels = read_several(file)
    assert indices.tolist() == [4, 1]
    assert labels.tolist() == [[1, 0, 1], [0, 0, 0]]
    assert labels.dtype == "float32"
    file = filled_in(tmp_path, ["", "", ""])
    assert read_several(file)[1].shape == (0, 3)


def test_several_labels_have_one_answer_per_image(tmp_path):
    file = filled_in(tmp_path, ["cat;ant", "bee", "ant; cat"], (4, 1, 4))
    assert read_several(file)[0].tolist() == [4, 1]
    file = filled_in(tmp_path, ["cat;ant", "bee", "cat"], (4, 1, 4))
    with pytest.raises(ValueError, match="one answer"):
        read_several(file)


@pytest.mark.parametrize("label", ["cat;dog", "dog", ";"])
def test_wrong_names_among_several_labels(tmp_path, label):
    file = filled_in(tmp_path, ["", "cat", label])
    with pytest.raises(ValueError, match="`label` must hold one of"):
        read_several(file)


@pytest.mark.parametrize("names", [None, ["a;b", "c"], ["a", "None"]])
def test_names_of_several_labels(tmp_path, names):
    file = filled_in(tmp_path, ["", "", ""])
    with pytest.raises(ValueError, match="Several labels need `class_names`"):
        read_several(file, names)


@pytest.mark.parametrize(
    "label, names",
    [("dog", NAMES), ("3", NAMES), ("-1", None), ("cat", None)],
)
def test_wrong_labels(tmp_path, label, names):
    file = filled_in(tmp_path, ["", "1", label])
    with pytest.raises(ValueError, match=f"`label` must hold.*'{label}'"):
        read_new_labels(IMAGES, file, class_names=names)


def test_one_image_with_two_labels(tmp_path):
    file = filled_in(tmp_path, ["2", "1", "0"], (4, 1, 4))
    with pytest.raises(ValueError, match=r"one answer.*2 and 0 for image 4"):
        read_new_labels(IMAGES, file)
    for label in "2", "":
        file = filled_in(tmp_path, ["2", "1", label], (4, 1, 4))
        indices, labels = read_new_labels(IMAGES, file)
        assert (indices.tolist(), labels.tolist()) == ([4, 1], [2, 1])


@pytest.mark.parametrize(
    "names, label, number",
    [
        (["001", "002", "003"], "2", 1),
        (["001", "002", "003"], "002", 1),
        (["3", "1", "0"], "0", 2),
        (["0", "3", "6"], "3", 1),
        (["=1+1", "b"], "=1+1", 0),
        (["b", "a\nb"], "a\\nb", 1),
        (["b", "c", " 1"], "1", 2),
        (["b", " b", "c"], " b", 1),
        (["b", " b", "c"], "c ", 2),
    ],
)
def test_names_that_are_numbers_or_formulas(tmp_path, names, label, number):
    file = filled_in(tmp_path, [label, "", ""])
    _, labels = read_new_labels(IMAGES, file, class_names=names)
    assert labels.tolist() == [number]


def test_a_label_that_could_mean_two_classes(tmp_path):
    for names, label in (["a ", " a"], "a"), (["01", "001"], "1"):
        file = filled_in(tmp_path, [label, "", ""])
        with pytest.raises(ValueError, match=f"one of .*'{label}'"):
            read_new_labels(IMAGES, file, class_names=names)


@pytest.mark.parametrize("label", ["1", "4", "9" * 5000, "1.0", "\u00b2"])
def test_numbers_of_classes_are_no_names(tmp_path, label):
    file = filled_in(tmp_path, [label, "", ""])
    with pytest.raises(ValueError, match=r"one of \['0', '3', 'six'\]"):
        read_new_labels(IMAGES, file, class_names=["0", "3", "six"])
