"""Examples run in this process, which has TensorFlow loaded already."""

import importlib.util
import pathlib
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


@pytest.fixture
def load_example():
    """A function of the name of a script that returns a new module of it."""

    def load(name):
        file = EXAMPLES / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run_example(load_example, tmp_path, monkeypatch, capsys):
    """A function that runs a script in `tmp_path`, and returns its output."""

    def run(name, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
        load_example(name).main()
        return capsys.readouterr().out

    return run
