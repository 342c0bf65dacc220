import csv
import functools
import pathlib

import keras
import numpy as np
import pytest

import keras_fewlabels  # noqa: F401, the saved models have its layers

# It runs on JAX and torch as well, but takes minutes there.
pytestmark = pytest.mark.tensorflow


@pytest.fixture
def run(run_example):
    return functools.partial(run_example, "pseudo_labels")


def write_images(folder, count, brightness):
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(count)
    for number in range(count):
        image = random.integers(0, 40, (20, 24, 3)) + brightness
        path = folder / f"{brightness}_{number}.png"
        keras.utils.save_img(path, image, scale=False)


def check_output(output, folder):
    """Checks table, figure and model. Returns the model and the rows."""
    for name in ("labels alone", "pseudo-labels"):
        assert any(
            line.startswith(name) and line.endswith("%")
            for line in output.splitlines()
        )
    folder = folder / "runs" / "pseudo_labels"
    assert (folder / "pseudo_labels.png").read_bytes()[1:4] == b"PNG"
    model = keras.saving.load_model(folder / "model.keras")
    with open(folder / "pseudo_labels.csv", newline="") as file:
        return model, list(csv.DictReader(file))


def test_digits(run, tmp_path, eager):
    output = run("--epochs", "2", "--steps-per-epoch", "2", "--seeds", "2")
    model, rows = check_output(output, tmp_path)
    assert model.output_shape == (None, 10)
    assert len(rows) == 1150
    assert "+-" in output
    # The digits lie in folders named after them, so the truth is known.
    assert "pseudo_label_accuracy" in output


@pytest.mark.parametrize("with_test", [True, False])
def test_own_folders_and_model(run, tmp_path, with_test):
    for name, brightness in (("bright", 200), ("dark", 10)):
        write_images(tmp_path / "labeled" / name, 10, brightness)
        write_images(tmp_path / "test" / name, 3, brightness)
        write_images(tmp_path / "unlabeled", 20, brightness)
    model = keras.Sequential(
        [
            keras.Input((12, 14, 1)),
            keras.layers.Rescaling(1 / 255, offset=-0.4),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy"
    )
    model.save(tmp_path / "mine.keras")
    output = run(
        *("--labeled", "labeled", "--unlabeled", "unlabeled"),
        *(("--test", "test") if with_test else ()),
        *("--model", "mine.keras", "--batch-size", "4"),
        *("--epochs", "3", "--steps-per-epoch", "20"),
    )
    assert "pseudo_label_accuracy" not in output
    model, rows = check_output(output, tmp_path)
    assert model.input_shape == (None, 12, 14, 1)
    assert len(rows) == 40
    # The two kinds of images are easy to tell apart.
    assert [row["label"] for row in rows].count("") < 5
    for row in filter(lambda row: row["label"], rows):
        is_bright = pathlib.Path(row["file"]).name.startswith("200_")
        assert row["label"] == ("bright" if is_bright else "dark")
        assert float(row["confidence"]) >= 0.95
        assert int(row["first_kept"]) >= 0


def test_folder_without_images_is_refused(run, tmp_path):
    for name in ("cat", "dog"):
        write_images(tmp_path / "labeled" / name, 5, 100)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="No images found in directory empty"):
        run("--labeled", "labeled", "--unlabeled", "empty")


def test_half_a_pair_of_folders_is_refused(run, capsys):
    with pytest.raises(SystemExit):
        run("--labeled", "labeled")
    assert "belong together" in capsys.readouterr().err
