"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import (
    Subclassed,
    check_refused,
    classifier,
    parameters,
    residual,
)

# Name: (expected in the message, the call that must raise).
CASES = {
    "add_stochastic_depth: subclassed model": (
        "Only a functional or `Sequential` model",
        lambda: kfl.models.add_stochastic_depth(Subclassed()),
    ),
    "add_stochastic_depth: another type": (
        "Only a functional or `Sequential` model",
        lambda: kfl.models.add_stochastic_depth(None),
    ),
    "add_stochastic_depth: no branches": (
        "no addition of a residual branch",
        lambda: kfl.models.add_stochastic_depth(classifier()),
    ),
    "add_stochastic_depth: branches dropped already": (
        "drops branches already",
        lambda: kfl.models.add_stochastic_depth(residual(rate=0.2)),
    ),
    "add_stochastic_depth: rate of 1": (
        r"`final_rate` must be a number in \[0, 1\)",
        lambda: kfl.models.add_stochastic_depth(residual(), 1.0),
    ),
    "add_stochastic_depth: seed of another type": (
        "`seed` must be",
        lambda: kfl.models.add_stochastic_depth(residual(), seed="7"),
    ),
    "linear_rates: negative count": (
        "`num_blocks` must be an int, 0 or more",
        lambda: kfl.models.linear_rates(-1),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
