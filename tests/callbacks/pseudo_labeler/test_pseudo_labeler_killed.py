"""A killed run ends with the same labels as a run that was not killed."""

import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).with_name("killed_fit.py")


def run(source, folder, kill_at=None):
    """Returns whether the run came to its end."""
    arguments = [source, folder, folder / "results.npz"]
    if kill_at is not None:
        arguments.append(kill_at)
    process = subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert process.returncode in (0, -signal.SIGKILL), process.stderr
    return process.returncode == 0


def results(folder):
    return dict(np.load(folder / "results.npz"))


def check_same_end(source, tmp_path, kills):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    assert run(source, whole)
    expected = results(whole)
    num_events = int(expected.pop("num_events"))
    assert num_events > 100
    for kill_at in kills(num_events):
        if run(source, killed, kill_at):
            break
    else:
        assert run(source, killed)
    ours = results(killed)
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
    check_same_end(source, tmp_path, lambda num_events: [18 + 4, 18 + 15])


@pytest.mark.slow
@pytest.mark.parametrize("source", ["array", "dataset"])
def test_killed_ten_times_at_random_moments(source, tmp_path):
    random = np.random.default_rng()

    def kills(num_events):
        # Up to two epochs, so that only some of ten runs get further.
        moments = random.integers(1, 60, 10).tolist()
        print(f"killed at {moments} of {num_events}")
        return moments

    check_same_end(source, tmp_path, kills)
