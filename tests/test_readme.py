"""Every snippet of the README runs, one after the other."""

import ast
import pathlib
import re

import keras
import pytest

from documents import ROOT, snippets_of, write_folders_of_digits

README = (ROOT / "README.md").read_text()
SNIPPETS = snippets_of(ROOT / "README.md")

# Weights of ImageNet come over the network, and minutes are too long, most of
# which go into tracing the ops of RandAugment.
OPS = "'ops': ['rotate']"
STEPS = "'student_steps': 9, 'supervised_steps': 9"
NO_NOISE = "noise=keras.layers.Identity(), weak_noise=keras.layers.Identity()"
SMALLER = {
    '"EfficientNetV2B0"': "small_backbone()",
    "time_limit=300": f"time_limit=1, settings={{{OPS}}}",
    "FreeMatch(model)": f"FreeMatch(model, {NO_NOISE})",
    "magnitude=5)": "magnitude=5, ops=['rotate'])",
    '"MobileNetV2"': "small_backbone(trained=False)",
    "time_limit=600": f"settings={{{STEPS}, {OPS}}}",
    "folders.image_shape[:2], None": "preprocessing='none'",
}


def small_backbone(trained=True):
    backbone = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    if trained:  # Biases of a new network are zeros.
        backbone.set_weights([each + 0.05 for each in backbone.get_weights()])
    return backbone


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folders_of_digits()


def smaller(snippet):
    for text, instead in SMALLER.items():
        snippet = snippet.replace(text, instead)
    return snippet


def test_snippets_run(project):
    names = {"small_backbone": small_backbone}
    whole = "".join(SNIPPETS)
    assert all(text in whole for text in SMALLER)
    for snippet in SNIPPETS:
        exec(compile(smaller(snippet), "README.md", "exec"), names)
    assert pathlib.Path("report/index.html").exists()
    assert "baseline" in str(names["report"])
    assert pathlib.Path("next/index.html").exists()
    assert [each["epoch"] for each in names["labeler"].rounds] == [1, 2]
    loaded = keras.saving.load_model("student.keras")
    assert loaded.output_shape == (None, 10)


@pytest.mark.parametrize("word", ["examples/noisy_student.py", "pytest"])
def test_commands_set_everything_up_themselves(word):
    commands = re.findall(r"```sh\n(.*?)\n```", README)
    (command,) = [line for line in commands if line.endswith(word)]
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")


def test_is_read_in_minutes():
    assert len(README.split()) <= 1200


def test_from_two_folders_to_a_report_is_short():
    assert "load_image_folders" in SNIPPETS[0] and "report.save" in SNIPPETS[0]
    assert len(ast.parse(SNIPPETS[0]).body) <= 6


def test_each_way_of_using_it_is_short():
    for snippet in SNIPPETS[1:]:
        assert len(ast.parse(snippet).body) <= 6


@pytest.mark.parametrize(
    "name", ["README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"]
)
def test_links_lead_to_files(name):
    page = ROOT / name
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        found = (page.parent / link.partition("#")[0]).exists()
        assert found or link.startswith("https://"), link
