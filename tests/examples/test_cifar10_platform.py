import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "examples" / "cifar10_platform.py"
pytestmark = pytest.mark.tensorflow


@pytest.mark.slow  # A MobileNet: a minute, most of it tracing.
def test_runs_on_a_local_file(tmp_path):
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "cifar10.npz",
        x=random.integers(0, 256, (160, 32, 32, 3), "uint8"),
        y=(np.arange(160) % 10).astype("uint8")[:, None],
    )
    result = subprocess.run(
        [
            *(sys.executable, SCRIPT, "--file", "cifar10.npz"),
            *("--num-labeled", "60", "--num-unlabeled", "80"),
            *("--num-test", "20"),
            *("--supervised-steps", "1", "--student-steps", "1"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["phases"][-1]["test"]["num_images"] == 20
    assert report["data"]["class_names"][0] == "airplane"
    assert (tmp_path / "report" / "index.html").exists()
    model = keras.saving.load_model(tmp_path / "report" / "model.keras")
    assert model.predict(np.zeros((1, 32, 32, 3)), verbose=0).shape == (1, 10)
