import json
import os
import pathlib
import subprocess
import sys

import keras
import pytest

NOTEBOOK = pathlib.Path(__file__).parents[2] / "examples" / "quickstart.ipynb"
pytestmark = pytest.mark.tensorflow


@pytest.mark.slow  # README's snippets make the same calls.
def test_notebook_runs_from_top_to_bottom(tmp_path):
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    code = [
        "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"
    ]
    (tmp_path / "quickstart.py").write_text("\n\n".join(code))
    result = subprocess.run(
        [sys.executable, "quickstart.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert result.returncode == 0, result.stderr
    assert "noisy student" in result.stdout
    assert (tmp_path / "report" / "index.html").exists()
    model = keras.saving.load_model(tmp_path / "digits.keras")
    assert model.output_shape == (None, 10)


def test_notebook_has_no_outputs():
    # They would be out of date with the next change.
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        assert not cell.get("outputs")
