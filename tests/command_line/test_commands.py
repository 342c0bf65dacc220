import csv
import json
import os
import webbrowser

import keras
import numpy as np
import pytest

from keras_fewlabels.command_line import commands
from keras_fewlabels.command_line.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folders of dark and bright images, a small network, and a report."""
    folder = tmp_path_factory.mktemp("command")
    rng = np.random.default_rng(0)
    for part, count in (("labeled", 6), ("unlabeled", 12), ("test", 4)):
        for name, level in (("dark", 50), ("bright", 200)):
            place = folder / part / (name if part != "unlabeled" else "")
            place.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                image = rng.normal(level, 20, (8, 8, 3)).clip(0, 255)
                path = place / f"{name}{number}.png"
                keras.utils.save_img(path, image, scale=False)
    keras.utils.set_random_seed(0)
    keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    ).save(folder / "network.keras")
    return folder


def command(folder, *arguments):
    """Runs a command in a folder, and returns its exit code."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        return main([*arguments])
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def fitted(folder):
    code = command(
        folder,
        *["fit", "labeled", "unlabeled", "--test", "test"],
        *["--backbone", "network.keras", "--time-limit", "1s"],
    )
    assert code == 0
    return folder


def test_fit_writes_a_report(fitted):
    report = json.loads((fitted / "report" / "report.json").read_text())
    assert report["data"]["class_names"] == ["bright", "dark"]
    assert report["time_limit"] == 1
    assert (fitted / "report" / "index.html").exists()


def test_an_output_that_cannot_be_written_is_refused_before_the_fit(
    folder, capsys
):
    (folder / "taken").write_text("a file")
    arguments = ["--backbone", "network.keras", "--output", "taken"]
    assert command(folder, "fit", "labeled", "unlabeled", *arguments) == 1
    error = capsys.readouterr().err
    assert "`--output` must be a folder" in error and "'taken'" in error


def test_predict_prints_or_writes_the_class_of_each_image(fitted, capsys):
    images = ["test/dark", "test/bright/bright0.png"]
    assert command(fitted, "predict", "report", *images) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5 and lines[-1].endswith("test/bright/bright0.png")
    assert (
        command(fitted, "predict", "report", *images, "--csv", "all.csv") == 0
    )
    with open(fitted / "all.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [
        *(os.path.join("test", "dark", f"dark{n}.png") for n in range(4)),
        images[1],
    ]
    for row, line in zip(rows, lines, strict=True):
        assert line.split()[2] == row["class"]
        assert line.startswith(f"{100 * float(row['probability']):5.1f}"[:3])


def test_what_is_no_image_is_named_and_the_others_are_predicted(fitted, capsys):
    (fitted / "broken.png").write_text("no image")
    images = ["broken.png", "no.png", "test/dark/dark0.png"]
    assert command(fitted, "predict", "report", *images) == 1
    out, err = capsys.readouterr()
    assert "broken.png" in err and "no.png" in err
    assert out.endswith("test/dark/dark0.png\n")
    # The folder of the table is made.
    arguments = [*images, "--csv", "tables/some.csv"]
    assert command(fitted, "predict", "report", *arguments) == 1
    assert "dark0.png" in (fitted / "tables" / "some.csv").read_text()


def test_a_table_that_cannot_be_written_is_refused_at_once(fitted, capsys):
    (fitted / "file").write_text("")
    arguments = ["test/dark", "--csv", "file/all.csv"]
    assert command(fitted, "predict", "report", *arguments) == 1
    assert "`--csv` must be a folder" in capsys.readouterr().err


def test_a_report_is_written_without_a_standalone_model(
    fitted, tmp_path, monkeypatch, capsys
):
    def refuse(*args, **kwargs):
        raise ValueError("parts that Keras alone cannot load")

    monkeypatch.setattr(commands.models, "standalone", refuse)
    arguments = ["--backbone", "network.keras", "--time-limit", "1s"]
    arguments += ["--output", str(tmp_path)]
    assert command(fitted, "fit", "labeled", "unlabeled", *arguments) == 0
    error = capsys.readouterr().err
    assert "No standalone.keras was written: parts that" in error
    assert (tmp_path / "model.keras").exists()


def test_audit_and_proposals(fitted, capsys):
    folders = "report", "labeled", "unlabeled"
    assert command(fitted, "audit", *folders) == 0
    assert (fitted / "audit" / "veto.csv").exists()
    assert command(fitted, "next", *folders, "--count", "3") == 0
    with open(fitted / "next" / "to_label.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    assert "Written to next" in capsys.readouterr().out


def test_export(fitted, capsys):
    formats = "--formats", "keras"
    assert command(fitted, "export", "report", "test/dark", *formats) == 0
    assert (fitted / "exported" / "model.keras").exists()


def test_report_opens_the_page(fitted, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert command(fitted, "report", "report") == 0
    assert opened == [(fitted / "report" / "index.html").resolve().as_uri()]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["fit", "nowhere", "unlabeled"], "nowhere"),
        (["fit", "labeled", "unlabeled", "--backbone", "NoNet"], "NoNet"),
        (["predict", "nowhere", "test"], "keras-fewlabels fit"),
        (["audit", "labeled", "labeled", "unlabeled"], "model.keras"),
        (["report", "labeled"], "index.html"),
    ],
)
def test_what_cannot_be_used_is_named(folder, arguments, message, capsys):
    assert command(folder, *arguments) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"keras-fewlabels {arguments[0]}: ")
    assert message in err and "Traceback" not in err
