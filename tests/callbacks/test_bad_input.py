"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import NAN, check_refused, classifier, fit_with, parameters

# Name: (expected in the message, the call that must raise).
CASES = {
    "LearningRateFinder: rates in reverse": (
        "`min_rate` must be below `max_rate`",
        lambda: kfl.callbacks.LearningRateFinder(1.0, 1e-6),
    ),
    "LearningRateFinder: rate of another type": (
        "`min_rate` must be a number above 0",
        lambda: kfl.callbacks.LearningRateFinder("1e-6"),
    ),
    "LearningRateFinder: too few steps": (
        "`num_steps` must be an int, 10 or more",
        lambda: kfl.callbacks.LearningRateFinder(num_steps=9),
    ),
    "LearningRateFinder: smoothing of another type": (
        r"`smoothing` must be a number in \[0, 1\)",
        lambda: kfl.callbacks.LearningRateFinder(smoothing="0.9"),
    ),
    "LearningRateFinder: divergence NaN": (
        "`divergence` must be a number above 1",
        lambda: kfl.callbacks.LearningRateFinder(divergence=NAN),
    ),
    "LearningRateFinder: divergence of another type": (
        "`divergence` must be a number above 1",
        lambda: kfl.callbacks.LearningRateFinder(divergence=None),
    ),
    "LearningRateFinder: too short a fit": (
        "The test needs 100 batches",
        lambda: fit_with(kfl.callbacks.LearningRateFinder()),
    ),
    "LearningRateFinder: several steps at once": (
        # Keras itself refuses it on torch.
        "must change with each batch|must be 1 with the PyTorch backend",
        lambda: fit_with(
            kfl.callbacks.LearningRateFinder(),
            classifier(steps_per_execution=2),
        ),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
