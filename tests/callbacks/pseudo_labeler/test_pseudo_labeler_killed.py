"""A killed run ends with the same labels as a run that was not killed."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).with_name("killed_fit.py")


def check_same_end(source, folder, kills):
    command = [sys.executable, str(SCRIPT), source, str(folder)]
    process = subprocess.run(
        [*command, *map(str, kills)], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    expected, ours = (
        dict(np.load(folder / f"{name}.npz")) for name in ("whole", "killed")
    )
    assert expected.pop("num_events") > 100
    del ours["num_events"]
    assert ours.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)


@pytest.mark.parametrize(
    "source",
    ["array", pytest.param("dataset", marks=pytest.mark.tensorflow)],
)
def test_killed_while_labelling_and_while_training(source, tmp_path):
    # The first epoch has 18 batches. The pieces of the first round follow,
    # with two events each; the round is written after 4 pieces.
    check_same_end(source, tmp_path, [18 + 4, 18 + 15])


@pytest.mark.slow
@pytest.mark.parametrize("source", ["array", "dataset"])
def test_killed_ten_times_at_random_moments(source, tmp_path):
    # Up to two epochs, so that only some of ten runs get further.
    moments = np.random.default_rng().integers(1, 60, 10).tolist()
    print(f"killed at {moments}")
    check_same_end(source, tmp_path, moments)
