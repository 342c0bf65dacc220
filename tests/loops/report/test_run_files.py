import csv
import dataclasses
import json
import re

import keras
import numpy as np
import pytest

from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.foundation import (
    embedded_image,
    printable,
    read_csv,
    write_whole,
)
from keras_fewlabels.loops.noisy_student.measure import (
    Labeler,
    PseudoLabels,
)
from keras_fewlabels.loops.report import run_files as module
from keras_fewlabels.loops.report.run_files import RunFiles, settings_json
from keras_fewlabels.policies import FixedThreshold
from keras_fewlabels.policies.parts import ClassScores, Sigmoids

DETAILS = {
    "settings": {"threshold": 0.6},
    "seed": 3,
    "versions": {"keras": "3.15"},
}
IMAGES = np.random.default_rng(0).random((7, 2, 2, 1), "float32")


def files(paths=None, has_policy=True):
    """Files of a run whose model was asked about two images."""

    def labeler(pieces):
        assert sum(map(len, pieces)) == 2
        return PseudoLabels(
            np.array([[0.38766, 0.61234], [0.5, 0.5]]),
            np.array([[0.9, 0.1], [1.0, 0.0]]) if has_policy else None,
            np.array([0.25, 0.0]) if has_policy else None,
        )

    return RunFiles({}, None, labeler, image_source(IMAGES[:2], paths=paths))


def test_pseudo_labels():
    assert files().pseudo_labels_csv().splitlines() == [
        "index,label,class,confidence,target,weight,counts",
        "0,1,1,0.6123,0,0.2500,1",
        "1,0,0,0.5000,0,0.0000,0",
    ]
    assert RunFiles({}).pseudo_labels_csv() is None


@pytest.mark.parametrize("has_policy", [True, False])
def test_pseudo_labels_of_several_labels(has_policy):
    yes = np.array([[0.75, 0.625], [0.25, 0.5]])

    def labeler(pieces):
        assert sum(map(len, pieces)) == 2
        targets, weights = np.round(yes), np.array([[1.0, 0.0], [1.0, 1.0]])
        if not has_policy:
            targets = weights = None
        return PseudoLabels(yes, targets, weights, Sigmoids(False))

    run_files = RunFiles({}, None, labeler, image_source(IMAGES[:2]))
    text = run_files.pseudo_labels_csv(["sea", "sky"])
    heads = "probability of sea,probability of sky"
    expected = [
        f"index,labels,confidence,targets,weight,{heads}",
        "0,sea;sky,0.6250,sea;sky,0.5000,0.7500,0.6250",
        "1,none,0.5000,none,1.0000,0.2500,0.5000",
    ]
    if not has_policy:
        expected = [
            f"index,labels,confidence,{heads}",
            "0,sea;sky,0.6250,0.7500,0.6250",
            "1,none,0.5000,0.2500,0.5000",
        ]
    assert text.splitlines() == expected


def test_a_model_of_labels_alone_has_no_weights():
    assert files(has_policy=False).pseudo_labels_csv().splitlines() == [
        "index,label,class,confidence",
        "0,1,1,0.6123",
        "1,0,0,0.5000",
    ]


def test_hostile_names_and_files_are_harmless_cells():
    names = ["=1+1", "a\nb"]
    paths = ["=HYPERLINK(1).png", "caf\udce9\x1b.png"]
    table = files(paths).pseudo_labels_csv(names)
    table.encode()
    assert table.splitlines()[1:] == [
        r"0,'=HYPERLINK(1).png,1,a\nb,0.6123,0,0.2500,1",
        r"1,caf\xe9\x1b.png,0,'=1+1,0.5000,0,0.0000,0",
    ]


def test_files_and_names_are_quoted_where_they_must():
    names = ["cat", 'a "dog"']
    table = files(["a, b.jpg", "ü.jpg"]).pseudo_labels_csv(names)
    assert table.splitlines()[1:] == [
        '0,"a, b.jpg",1,"a ""dog""",0.6123,0,0.2500,1',
        "1,ü.jpg,0,cat,0.5000,0,0.0000,0",
    ]


def test_names_are_no_formulas_and_are_read_back(tmp_path):
    paths = ['=HYPERLINK("http://x")', "two\nlines caf\udce9.png"]
    names = ["-cmd|x", "+1"]
    file = tmp_path / "pseudo_labels.csv"
    write_whole(file, files(paths).pseudo_labels_csv(names))
    with open(file, newline="", encoding="utf-8") as text:
        rows = list(csv.reader(text))
    for row in rows:
        # A number with a sign is no formula.
        assert not re.match(r"[=@+-](?!\d)", row[1] + row[3])
    read = read_csv(file, ("file", "class"), "file", "a table")
    assert [row["file"] for row in read] == list(map(printable, paths))
    assert [row["class"] for row in read] == [names[1], names[0]]


def of_model(images):
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.weights])
    labeler = Labeler(model, ClassScores(True), FixedThreshold(0.6), IMAGES[:2])
    return RunFiles({}, None, labeler, image_source(images))


def test_every_unlabelled_image_has_a_label_in_its_order():
    run_files = of_model(IMAGES)
    scores = run_files.labeler.model.predict(IMAGES, verbose=0)
    scores = keras.ops.convert_to_numpy(keras.ops.softmax(scores))
    np.testing.assert_allclose(
        run_files.pseudo_labels.probabilities, scores, rtol=1e-5
    )
    np.testing.assert_array_equal(
        run_files.pseudo_labels.weights, scores.max(axis=1) >= 0.6
    )
    # They are predicted once.
    assert run_files.pseudo_labels is run_files.pseudo_labels


@pytest.mark.parametrize(("piece", "expected"), [(3, [3, 6, 7]), (7, [])])
def test_labelling_several_pieces_shows_how_far_it_is(
    piece, expected, monkeypatch
):
    monkeypatch.setattr(module, "_PIECE", piece)
    shown = []

    def progress(title, count):
        assert (title, count) == ("labels", 7)
        return shown.append

    files = dataclasses.replace(of_model(IMAGES), progress=progress)
    assert len(files.pseudo_labels.probabilities) == 7
    assert shown == expected


def test_labels_that_are_known_are_not_made_again():
    known = PseudoLabels(np.eye(2), None, None)
    source = image_source(IMAGES[:2])
    files = RunFiles({}, None, None, source, known=(np.arange(2), known))
    assert files.pseudo_labels_csv().splitlines() == [
        "index,label,class,confidence",
        "0,0,0,1.0000",
        "1,1,1,1.0000",
    ]


def test_labels_that_are_known_are_completed():
    whole = of_model(IMAGES)
    every, numbers = whole.pseudo_labels, np.array([1, 2])
    known = dataclasses.replace(
        every, probabilities=every.probabilities[numbers]
    )
    seen = []

    def labeler(pieces):
        seen.extend(pieces)
        return whole.labeler(seen)

    files = dataclasses.replace(whole, labeler=labeler, known=(numbers, known))
    np.testing.assert_allclose(
        files.pseudo_labels.probabilities, every.probabilities, rtol=1e-5
    )
    rest = np.delete(IMAGES, numbers, axis=0)
    np.testing.assert_array_equal(np.concatenate(seen), rest)


@pytest.mark.tensorflow
def test_a_dataset_is_labelled_if_its_order_is_known():
    import tensorflow as tf

    images = np.random.default_rng(0).random((1500, 2, 2, 1), "float32")
    dataset = tf.data.Dataset.from_tensor_slices(images)
    table = of_model(dataset.batch(2)).pseudo_labels_csv()
    assert table == of_model(images).pseudo_labels_csv()
    # The first images stay where they are, and the others do not.
    shuffled = dataset.take(64).concatenate(dataset.skip(64).shuffle(1500))
    run_files = of_model(shuffled)
    for _ in run_files.unlabeled.pieces(100):
        pass
    assert run_files.pseudo_labels_csv() is None
    # Nor is it known which image is foreign.
    rows = [{"index": 1200}]
    assert run_files.thumbnails([], rows, (0, 1))["foreign"] == []


def test_models(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    RunFiles({"model": model, "last": model}).save_models(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["last.keras", "model.keras"]
    loaded = keras.saving.load_model(tmp_path / "last.keras")
    np.testing.assert_array_equal(
        loaded.get_weights()[0], model.get_weights()[0]
    )


def test_settings_are_those_that_the_fit_takes():
    assert json.loads(settings_json(DETAILS)) == {
        "settings": {"threshold": 0.6},
        "seed": 3,
        "versions": {"keras": "3.15"},
    }


def test_thumbnails_are_named_linked_and_shrunk():
    images = np.zeros((3, 300, 200, 3), "uint8")
    images[2] = 255
    run_files = RunFiles({}, examined=image_source(images))
    rows = [{"index": 2}, {"index": 0}]
    found = run_files.thumbnails(rows, rows, (0, 255))
    # Without unlabelled images there are none of them.
    assert found["foreign"] == []
    white, black = found["examples"]
    assert (white["name"], white["href"]) == ("image 2", "")
    assert white["src"] == embedded_image(images[2], (0, 255), 128)
    assert len(white["src"]) < 2000 and white["src"] != black["src"]
    paths = ["/a/1.jpg", "/a/2 <b>.jpg", "/a/3.jpg"]
    run_files = RunFiles({}, unlabeled=image_source(images, paths=paths))
    (found,) = run_files.thumbnails([], [{"index": 1}], (0, 255))["foreign"]
    assert found["name"] == "2 <b>.jpg"
    assert found["href"] == "file:///a/2%20%3Cb%3E.jpg"
