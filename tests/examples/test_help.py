"""The examples print their help without any package."""

import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


def run(script, *arguments):
    # Without site-packages, an import of Keras would be an error.
    return subprocess.run(
        [sys.executable, "-S", "-E", script, *arguments],
        capture_output=True,
        text=True,
    )


def test_there_are_examples():
    assert len(SCRIPTS) == 6


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_help_and_errors_come_before_the_imports(script):
    result = run(script, "--help")
    assert result.returncode == 0
    assert result.stderr == ""
    # The docstring is the first part of the help.
    assert f"python examples/{script.name}" in result.stdout
    result = run(script, "--nothing-of-that-name")
    assert result.returncode == 2
    assert "unrecognized arguments" in result.stderr
