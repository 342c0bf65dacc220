"""Who may import whom inside the package: only downward."""

import ast
import os
import pathlib
import subprocess
import sys

import keras
import pytest

import keras_fewlabels

PACKAGE = pathlib.Path(keras_fewlabels.__file__).parent
ALLOWED = {
    # What everything may stand on.
    "foundation": set(),
    "ops": set(),
    "data": set(),
    "policies": set(),
    # Plots draw arrays and dicts, whatever made them. Only what saves a
    # report draws unasked; all else leaves that to the user.
    "plots": set(),
    "layers": {"ops"},
    # A callback that finds something out draws it.
    "callbacks": {"policies", "data", "layers", "plots"},
    "models": {"policies", "data", "layers"},
    "loops": {
        *{"ops", "data", "policies", "layers", "callbacks", "models"},
        *{"plots", "evaluation"},
    },
    "evaluation": {
        *{"ops", "data", "policies", "layers", "callbacks", "models"},
        "plots",
    },
    "command_line": {"data", "evaluation", "loops", "models"},
}


def imported_folders(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "keras_fewlabels":
                yield rest.partition(".")[0]


@pytest.mark.parametrize(
    "path",
    sorted(PACKAGE.glob("*/**/*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_imports_go_downward(path):
    folder = path.relative_to(PACKAGE).parts[0]
    allowed = ALLOWED[folder] | {folder, "foundation"}
    assert set(imported_folders(path)) <= allowed


def test_import_adds_no_heavy_package_to_keras():
    # Whatever the backend: what Keras has loaded by itself stays all there is.
    code = (
        "import sys, keras; before = set(sys.modules); import keras_fewlabels;"
        "print(*{m.partition('.')[0] for m in set(sys.modules) - before})"
    )
    output = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
    ).stdout
    assert output.split() == ["keras_fewlabels"]
