"""What the examples call exists, and takes the arguments by name.

Some of the examples themselves take minutes (`-m slow`).
"""

import ast
import inspect
import json
import operator
import pathlib
import re

import pytest

import keras_fewlabels

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
FILES = sorted([*EXAMPLES.glob("*.py"), *EXAMPLES.rglob("*.ipynb")])


def code_of(file):
    if file.suffix == ".py":
        return file.read_text()
    cells = json.loads(file.read_text())["cells"]
    return "\n".join(
        "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"
    )


def name_in_package(node):
    """Returns the name that an expression has in the package, or `None`."""
    match = re.fullmatch(r"(kfl|keras_fewlabels)\.([\w.]+)", ast.unparse(node))
    return match and match[2]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_names_and_arguments_exist(file):
    calls = 0
    for node in ast.walk(ast.parse(code_of(file))):
        if isinstance(node, ast.Attribute) and (name := name_in_package(node)):
            operator.attrgetter(name)(keras_fewlabels)
        if isinstance(node, ast.Call) and (name := name_in_package(node.func)):
            called = operator.attrgetter(name)(keras_fewlabels)
            positions = [None for _ in node.args]
            named = {word.arg: None for word in node.keywords if word.arg}
            inspect.signature(called).bind_partial(*positions, **named)
            calls += 1
    assert calls
