import pathlib
import subprocess
import sys

import numpy as np
import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.tensorflow


@pytest.mark.slow
def test_table_has_a_row_for_each_kind_of_noise(tmp_path):
    noise = "neither", "teacher", "student", "both"
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "cifar10.npz",
        x=random.integers(0, 256, (80, 32, 32, 3), "uint8"),
        y=np.arange(80) % 10,
    )
    result = subprocess.run(
        [
            *(sys.executable, EXAMPLES / "cifar10_noisy_student.py"),
            *("--file", "cifar10.npz", "--num-labeled", "30"),
            *("--num-unlabeled", "40", "--num-test", "10"),
            *("--num-corrupted", "2", "--corruptions", "contrast"),
            *("--steps", "1", "--noise", *noise),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    *lines, _, baseline = result.stdout.splitlines()
    table = lines[-len(noise) :]
    assert baseline.startswith("Labels alone") and "%" in baseline
    assert tuple(line.split()[0] for line in table) == noise
    assert all(line.count("%") == 3 for line in table)
    assert (tmp_path / "cifar10_noisy_student.png").exists()
