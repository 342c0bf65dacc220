"""Fits that are killed, or share a folder, end like others, bit for bit."""

import json
import pathlib
import secrets
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).with_name("killed_fits.py")
KINDS = [
    "plain",
    "FineTune",
    "PseudoLabeler",
    "fit_noisy_student",
    "fit_noisy_student, dataset",
    "EMATeacher",
    "frozen teacher",
    "self-teacher",
    "mixed dataset",
    "mixed images",
    "balanced head",
    "AdaMatch",
    "Debiased",
    "DistributionAlignment",
    "FlexMatch",
    "FreeMatch",
    "SoftMatch",
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_ten_kills_at_random_moments(kind):
    # Another seed each time. The message of a failure names it.
    seed = secrets.randbelow(2**32)
    command = [sys.executable, str(SCRIPT), kind, "10", str(seed)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, f"seed {seed}: {process.stderr}"
    result = json.loads(process.stdout.splitlines()[-1])
    print(result)
    assert result["kills"] >= 10
    assert result["different"] == 0, f"seed {seed}: {result}"


def start(folder, file, first_image):
    script = pathlib.Path(__file__).with_name("two_fits.py")
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, (folder, file, first_image))],
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_processes_on_one_folder(tmp_path):
    for names in (["alone"], ["first", "second"]):
        processes = [
            start(tmp_path / names[0], tmp_path / f"{name}.npz", 0)
            for name in names
        ]
        for process in processes:
            _, errors = process.communicate(timeout=600)
            assert process.returncode == 0, errors
    # Other images, beside the backup of the two.
    other = start(tmp_path / "first", tmp_path / "other.npz", 200)
    assert "differs in: data" in other.communicate(timeout=600)[1]
    expected = dict(np.load(tmp_path / "alone.npz"))
    for name in ("first", "second"):
        found = dict(np.load(tmp_path / f"{name}.npz"))
        assert found.keys() == expected.keys()
        for part, value in expected.items():
            np.testing.assert_array_equal(found[part], value, err_msg=part)
