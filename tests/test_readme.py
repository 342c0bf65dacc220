"""Every snippet of the README runs, one after the other."""

import ast
import pathlib
import re

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

README = pathlib.Path(__file__).parent.parent / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folders_of_digits()
    names = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, "README.md", "exec"), names)
    # The picture that the README paints: the labels multiply, all ends well.
    assert names["labeler"].rounds[-1]["kept"] > 50
    loaded = keras.saving.load_model("student.keras")
    np.testing.assert_allclose(
        loaded.predict(names["x_test"], verbose=0),
        names["student"].predict(names["x_test"], verbose=0),
        atol=1e-6,
    )


def write_folders_of_digits():
    """The folders of images that a reader is taken to have."""
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
    (snippet,) = [text for text in SNIPPETS if "load_image_folders" in text]
    assert len(ast.parse(snippet).body) <= 6
