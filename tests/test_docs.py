"""The documentation is built, its links lead somewhere, and names are in it."""

import subprocess
import sys

import pytest

import keras_fewlabels
from documents import ROOT

pytest.importorskip("mkdocs", reason="needs the extra `docs`")
pytestmark = pytest.mark.tensorflow  # No backend takes part.


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    # With `--strict`, a link that leads nowhere is an error.
    command = "-m", "mkdocs", "build", "--strict", "--quiet"
    result = subprocess.run(
        [sys.executable, *command, "-f", "mkdocs.yml", "-d", folder],
        cwd=ROOT / ".docs",
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_every_public_name_is_in_the_reference(site):
    for name in keras_fewlabels.__all__:
        folder = getattr(keras_fewlabels, name)
        for concept in folder.__all__:
            page = (site / "reference" / f"{name}.html").read_text()
            assert f'id="keras_fewlabels.{name}.{concept}"' in page


def test_examples_are_shown_as_code(site):
    for page in (site / "reference").glob("*.html"):
        assert "<blockquote>" not in page.read_text(), page.name
