"""The dependencies in pyproject.toml are what the package imports."""

import ast
import pathlib
import re
import sys
import tomllib

import keras_fewlabels

ROOT = pathlib.Path(__file__).parent.parent
FILES = sorted(pathlib.Path(keras_fewlabels.__file__).parent.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Where a package has another name than its module.
NAMES = {"PIL": "pillow"}
# The other backends, and what only a user of their formats and models has.
OWN_CHOICE = {"jax", "torch", "ai_edge_litert", "keras_hub"}
EXTRAS = {"evaluation", "export", "folders", "plots", "report", "tensorboard"}
# It works together with this package, which does not import it.
NOT_IMPORTED = {"keras-cv"}
# `keras.Model.export` imports it.
IMPORTED_BY_KERAS = {"tf2onnx"}


def imported_packages():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            elif isinstance(node, ast.Call) and (
                getattr(node.func, "id", None) == "optional_import"
                and isinstance(node.args[0], ast.Constant)
            ):
                modules = [node.args[0].value]
            else:
                continue
            for module in modules:
                package = module.partition(".")[0]
                yield NAMES.get(package, package)


def names_of(requirements):
    return {re.match(r"[\w-]+", each).group() for each in requirements}


def test_dependencies_are_what_is_imported():
    extras = PROJECT["optional-dependencies"]
    declared = names_of(PROJECT["dependencies"]).union(
        *(names_of(extras[extra]) for extra in EXTRAS)
    )
    imported = set(imported_packages()) - set(sys.stdlib_module_names)
    assert imported - OWN_CHOICE - {"keras_fewlabels"} == (
        declared - NOT_IMPORTED - IMPORTED_BY_KERAS
    )


def test_minimum_versions_are_those_of_the_constraints():
    text = (ROOT / "tests" / "minimum_versions.txt").read_text()
    tested = dict(re.findall(r"^([\w-]+)==(.+)$", text, re.MULTILINE))
    requirements = PROJECT["dependencies"] + [
        each
        for name, extra in PROJECT["optional-dependencies"].items()
        if name != "docs"
        for each in extra
    ]
    promised = dict(
        re.fullmatch(r"([\w-]+)>=(.+)", each).groups()
        for each in requirements
        if not each.startswith("keras-fewlabels[")
    )
    for name, version in promised.items():
        if name not in {"build", "ruff"}:
            assert tested[name].startswith(version), name


def test_install_hints_are_quoted():
    # Without quotation marks, zsh takes the brackets for a pattern.
    paths = [ROOT / "README.md", *FILES]
    paths += (ROOT / "examples").glob("*.*")
    unquoted = [
        path.name
        for path in paths
        if re.search(r"pip install [^\"'\n]*\w\[", path.read_text())
    ]
    assert unquoted == []
