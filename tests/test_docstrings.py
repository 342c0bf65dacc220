"""Every public docstring is complete, and every example runs."""

import doctest
import importlib
import inspect
import pathlib

import keras
import numpy as np
import pytest

import keras_fewlabels

PACKAGE = pathlib.Path(keras_fewlabels.__file__).parent
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>>" in path.read_text()
)
FOLDERS = [getattr(keras_fewlabels, name) for name in keras_fewlabels.__all__]
PUBLIC = [
    (folder, name)
    for folder in FOLDERS
    for name in getattr(folder, "__all__", ())
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_run(module):
    names = {"keras": keras, "np": np, "keras_fewlabels": keras_fewlabels}
    result = doctest.testmod(
        importlib.import_module(module),
        extraglobs=names,
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    "folder, name",
    PUBLIC,
    ids=lambda value: getattr(value, "__name__", value),
)
def test_public_docstring_has_sentence_example_and_errors(folder, name):
    concept = getattr(folder, name)
    documentation = inspect.getdoc(concept)
    assert documentation.splitlines()[0].endswith(".")
    for part in (">>>", "Example:", "Raises:"):
        assert part in documentation
