"""Fits that are killed ten times end like other fits, bit for bit."""

import json
import pathlib
import secrets
import subprocess
import sys

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
