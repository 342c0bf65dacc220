"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import UNLABELED, check_refused, parameters

# Name: (expected in the message, the call that must raise).
CASES = {
    "without_vetoed: nothing left": (
        "At least one image must be left",
        lambda: kfl.data.without_vetoed(UNLABELED, range(8)),
    ),
    "without_vetoed: path of images": (
        "must be images, not where they are",
        lambda: kfl.data.without_vetoed("folder", [0]),
    ),
    "read_veto: indices of floats": (
        "`veto` must be a veto file, or a sequence of indices",
        lambda: kfl.data.read_veto(UNLABELED, [0.5]),
    ),
    "read_veto: lists of several lengths": (
        "`veto` must be a veto file, or a sequence of indices",
        lambda: kfl.data.read_veto(UNLABELED, [[1], [2, 3]]),
    ),
    "read_new_labels: return_origins is a word": (
        "`return_origins` must be",
        lambda: kfl.data.read_new_labels(
            UNLABELED, "label.csv", return_origins="yes"
        ),
    ),
    "read_new_labels: another file": (
        "with a row per image",
        lambda: kfl.data.read_new_labels(UNLABELED, "truncated/run.json"),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
