"""Every snippet of the README runs, one after the other."""

import ast
import pathlib
import re
import warnings

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

README = pathlib.Path(__file__).parent.parent / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)

# Weights of ImageNet come over the network, and minutes are too long.
SMALLER = {
    '"EfficientNetV2B0"': "small_backbone()",
    "time_limit=300": "time_limit=30, settings={'student_steps': 20}",
}


def small_backbone():
    """A network whose weights are not those of a new one."""
    backbone = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    backbone.set_weights([each + 0.05 for each in backbone.get_weights()])
    return backbone


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folders_of_digits()


def test_snippets_run(project):
    names = {"small_backbone": small_backbone}
    first = SNIPPETS[0]
    for text, smaller in SMALLER.items():
        assert text in first
        first = first.replace(text, smaller)
    with warnings.catch_warnings():
        # An example must not warn that it fails.
        for message in ("The unlabelled images", "Class .* taking over",
                        ".*shuffle=True"):  # fmt: skip
            warnings.filterwarnings("error", message=message)
        for snippet in (first, *SNIPPETS[1:]):
            exec(compile(snippet, "README.md", "exec"), names)
    assert pathlib.Path("report/index.html").exists()
    # The number of labels grows, and no class is without one.
    last_round = names["labeler"].rounds[-1]
    assert last_round["kept"] > 50 and min(last_round["class_counts"]) > 0
    loaded = keras.saving.load_model("student.keras")
    np.testing.assert_allclose(
        loaded.predict(names["x_test"], verbose=0),
        names["student"].predict(names["x_test"], verbose=0),
        atol=1e-6,
    )


def write_folders_of_digits():
    """Writes the folders of images that the reader is assumed to have."""
    digits = load_digits()
    for number, (image, name) in enumerate(
        zip(digits.images[:200], digits.target, strict=False)
    ):
        folder = f"labeled/{name}" if number < 50 else "unlabeled"
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(f"{folder}/{number}.png", image[..., None])


@pytest.mark.parametrize("word", ["examples/noisy_student.py", "pytest"])
def test_commands_set_everything_up_themselves(word):
    commands = re.findall(r"```sh\n(.*?)\n```", README.read_text())
    (command,) = [line for line in commands if line.endswith(word)]
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")


def test_method_of_ones_own_is_short():
    (snippet,) = [text for text in SNIPPETS if "class TwoViews" in text]
    assert len(snippet.splitlines()) < 20


def test_from_two_folders_to_a_report_is_short():
    snippet = SNIPPETS[0]
    assert "load_image_folders" in snippet and "report.save" in snippet
    assert len(ast.parse(snippet).body) <= 6
