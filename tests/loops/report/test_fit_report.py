import base64
import json
import os
import sys

import keras
import numpy as np
import pytest

from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.foundation.result import Result
from keras_fewlabels.loops.noisy_student.measure import PseudoLabels
from keras_fewlabels.loops.report import FitReport
from keras_fewlabels.loops.report.run_files import RunFiles

HISTORY = {
    **{"loss": [2.0, 1.0], "val_loss": [2.1, float("nan")]},
    **{"mask_ratio": [0.5, 0.6], "confidence": [0.6, 0.8]},
}


def phase(name, generation, steps, validation, test):
    return {
        **{"name": name, "generation": generation, "steps": steps},
        **{"seconds": steps / 10, "best_epoch": None, "history": HISTORY},
        "validation": {"accuracy": validation, "num_images": 500, "loss": 1.0},
        "test": {"accuracy": test, "num_images": 5000, "loss": 1.0},
        "pseudo_labels": None,
    }


def details(**changes):
    steps = [phase("labels only", 0, 1, 0.5, 0.5), phase("+ x", 0, 1, 0.6, 0.4)]
    return {
        "seed": 3,
        "seconds": 3725.4,
        "data": {"num_labeled": 4500, "num_test": 5000, "num_classes": 10},
        "settings": {"epochs": (30, 60)},
        "why": {"epochs": "for a test"},
        "phases": [
            phase("supervised", 0, 2000, 0.61, 0.602),
            phase("noisy student", 1, 6000, 0.704, 0.691),
        ],
        "baseline": phase("supervised, same budget", 0, 8000, 0.64, 0.63),
        "waterfall": steps,
        "versions": {"keras": "3.15.1"},
        **changes,
    }


TABLE = """\
phase            steps   time    validation accuracy            test accuracy
supervised       2,000   3:20  61.0 % (57-65) of 500  60.2 % (59-62) of 5,000
noisy student 1  6,000  10:00  70.4 % (66-74) of 500  69.1 % (68-70) of 5,000
baseline         8,000  13:20  64.0 % (60-68) of 500  63.0 % (62-64) of 5,000
gain in points                                  +6.4                     +6.1
baseline: supervised, same budget

step           validation accuracy            test accuracy  gain in points
labels only  50.0 % (46-54) of 500  50.0 % (49-51) of 5,000
+ x          60.0 % (56-64) of 500  40.0 % (39-41) of 5,000           -10.0

images: 4,500 labelled, 5,000 test; 10 classes
seed 3, 1:02:05"""


def test_printed_as_a_table():
    assert str(FitReport(details())) == TABLE
    assert max(map(len, TABLE.split("\n"))) <= 80


def test_table_leaves_out_what_there_is_not():
    report = FitReport(
        details(baseline=None, waterfall=[], phases=details()["phases"][:1])
    )
    assert str(report).split("\n")[1:] == [
        "supervised  2,000  3:20  61.0 % (57-65) of 500"
        "  60.2 % (59-62) of 5,000",
        "",
        "images: 4,500 labelled, 5,000 test; 10 classes",
        "seed 3, 1:02:05",
    ]


def test_dict_is_a_copy_all_the_way_down():
    given = details()
    report = FitReport(given)
    given["phases"][0]["steps"] = 7
    report.to_dict()["phases"][0]["validation"]["accuracy"] = 0.0
    assert report.to_dict()["phases"][0] == {
        **phase("supervised", 0, 2000, 0.61, 0.602),
        "history": {**HISTORY, "val_loss": [2.1, None]},
    }


def test_a_report_of_its_dict_is_the_same_report(tmp_path):
    report = FitReport(details())
    report.save(tmp_path)
    text = (tmp_path / "report.json").read_text()
    # NaN is no JSON, and other programs refuse it.
    read = json.loads(text, parse_constant=pytest.fail)
    assert read == report.to_dict()
    assert read["settings"]["epochs"] == [30, 60]
    assert str(FitReport(read)) == TABLE


def test_saved_page_shows_the_plots_that_lie_beside_it(tmp_path):
    folder = tmp_path / "runs" / "first"
    FitReport(details()).save(str(folder))
    plots = ["comparison", "learning_curves", "pseudo_labels", "waterfall"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [
            *("README.md", "index.html", "report.json", "settings.json"),
            *(f"{name}.png" for name in plots),
        ]
    )
    page = (folder / "index.html").read_text(encoding="utf-8")
    for name in plots:
        content = (folder / f"{name}.png").read_bytes()
        assert content[1:4] == b"PNG"
        assert base64.b64encode(content).decode() in page


def test_a_run_with_times_shows_the_accuracy_over_them(tmp_path):
    given = details()
    for part, seconds in zip(given["phases"], (210, 830), strict=True):
        part["seconds_since_start"] = seconds
    report = FitReport(given)
    assert report.figure().axes[0].get_xlabel() == "minutes since the start"
    FitReport(details()).save(tmp_path)
    report.save(tmp_path)
    assert (tmp_path / "accuracy_over_time.png").exists()
    # That of the earlier report would show other figures.
    assert not (tmp_path / "comparison.png").exists()


def test_print_tells_of_calibration_and_balance():
    given = details(
        examined={
            "split": "test",
            "balanced_accuracy": 0.655,
            "calibration": {
                "expected_calibration_error": 0.0432,
                "confidence": 0.75,
                "accuracy": 0.691,
                "bins": [{"num_images": 2000}, {"num_images": 3000}],
            },
        }
    )
    text = str(FitReport(given))
    assert max(map(len, text.split("\n"))) <= 80
    assert (
        "Balanced accuracy 65.5 %, mean confidence 75.0 % and expected "
        "calibration error 4.3 points, where the accuracy is 69.1 % on 5,000 "
        "test images."
    ) in text.replace("\n", " ")


def test_saving_again_overwrites_and_leaves_no_plot_of_another_report(tmp_path):
    FitReport(details()).save(tmp_path)
    (tmp_path / "mine.txt").write_text("stays")
    other = {**phase("supervised", 0, 20, 0.25, 0.125), "history": None}
    report = FitReport(details(phases=[other], baseline=None, waterfall=[]))
    report.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("README.md", "index.html", "mine.txt", "report.json"),
        "settings.json",
    ]
    assert "12.5 % on 5,000" in (tmp_path / "index.html").read_text()
    read = json.loads((tmp_path / "report.json").read_text())
    assert read == report.to_dict()


def test_models_and_pseudo_labels_lie_beside_the_page(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    images = np.zeros((2, 4, 4, 1), "uint8")
    asked = []

    def labeler(pieces):
        asked.extend(pieces)
        return PseudoLabels(np.eye(2), np.eye(2), np.ones(2))

    files = RunFiles(
        {"model": model}, images[:1], labeler, image_source(images)
    )
    examined = {
        "split": "test",
        "confusion": [[1, 1], [0, 1]],
        "mistakes": [{"true": 0, "predicted": 1, "confidence": 0.5}],
    }
    given = details(examined=examined, settings={"threshold": 0.6})
    given["data"] |= {"num_classes": 2, "value_range": [0, 255]}
    report = FitReport(given, files)
    # The unlabelled images are labelled only when somebody wants that.
    assert not asked
    report.save(tmp_path)
    assert len(asked[0]) == 2
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = np.ones((1, 2))
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    names = {path.name for path in tmp_path.iterdir()}
    assert {"confusion_matrix.png", "mistakes.png"} < names
    assert (tmp_path / "pseudo_labels.csv").read_text().count("\n") == 3
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Mistakes on test images" in page
    assert not any(name.startswith(".") for name in names)


def test_ctrl_c_among_the_labels_leaves_the_rest_of_the_report(tmp_path):
    def interrupted(pieces):
        raise KeyboardInterrupt

    images = image_source(np.zeros((2, 4, 4, 1), "uint8"))
    (tmp_path / "pseudo_labels.csv").write_text("of an earlier report")
    report = FitReport(details(), RunFiles({}, None, interrupted, images))
    with pytest.raises(KeyboardInterrupt):
        report.save(tmp_path)
    assert (tmp_path / "index.html").exists()
    assert not (tmp_path / "pseudo_labels.csv").exists()


def test_the_figure_compares_the_phases():
    report = FitReport(details())
    assert isinstance(report, Result)
    (axes,) = report.figure().axes
    assert len(axes.patches) == len(report.to_dict()["phases"]) + 1


@pytest.mark.parametrize("below", ["", "folder"])
def test_a_folder_that_cannot_be_written(tmp_path, below, monkeypatch):
    # Nothing is drawn: without matplotlib the error would be another one.
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / "file" / below
    with pytest.raises(OSError, match=r"may create files.*folder=.*file"):
        FitReport(details()).save(folder)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_crash_while_writing_keeps_the_earlier_file(tmp_path, monkeypatch):
    report = FitReport(details())
    report.save(tmp_path)
    before = (tmp_path / "report.json").read_bytes()

    def fail(file):
        raise OSError("disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk is full"):
        report.save(tmp_path)
    assert (tmp_path / "report.json").read_bytes() == before


@pytest.mark.parametrize("module", ["jinja2", "matplotlib.figure"])
def test_numbers_are_kept_where_the_page_cannot_be_made(
    tmp_path, monkeypatch, module
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match='pip install "keras-fewlabels'):
        FitReport(details()).save(tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["seed"] == 3


@pytest.mark.parametrize(
    "given, message",
    [
        ([], r"without \['seed', 'seconds', .*'versions'\]"),
        (details(phases=[]), r"at least one phase.*without \['phases'\]"),
        (details(settings={"x": np.ones(2)}), r"`tolist\(\)`.*ndarray"),
        (details(seed=np.int64(3)), "only what JSON can.*int64"),
    ],
)
def test_wrong_details(given, message):
    with pytest.raises(ValueError, match=message):
        FitReport(given)
