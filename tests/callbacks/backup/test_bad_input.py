"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import (
    LABELED,
    UNLABELED,
    check_refused,
    fit_mixed,
    fit_with,
    mix,
    parameters,
    tf_data,
)

# Name: (expected in the message, the call that must raise).
CASES = {
    "ExactBackup: no folder": (
        "`backup_dir` must be a folder",
        lambda: fit_with(kfl.callbacks.ExactBackup("")),
    ),
    "ExactBackup: within epochs": (
        "`save_freq` must be 'epoch'",
        lambda: fit_with(kfl.callbacks.ExactBackup("backup", 100)),
    ),
    "ExactBackup: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: fit_with(kfl.callbacks.ExactBackup("backup", seed=-1)),
    ),
    "ExactBackup: batches without an order": (
        "`batches` must have a `begin_epoch",
        lambda: fit_with(kfl.callbacks.ExactBackup("backup", batches=LABELED)),
    ),
    "ExactBackup: data whose order cannot be repeated": (
        "The order of the data cannot be repeated",
        lambda: fit_mixed(
            data=mix(unlabeled=tf_data(UNLABELED)).map(lambda *batch: batch),
            fit={"callbacks": [kfl.callbacks.ExactBackup("backup")]},
        ),
    ),
    "SeedEpochs: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: fit_with(kfl.callbacks.SeedEpochs(-1)),
    ),
    "SeedEpochs: seed of another type": (
        "`seed` must be an int, 0 or more",
        lambda: fit_with(kfl.callbacks.SeedEpochs(None)),
    ),
    "SeedEpochs: batches without a seed": (
        "`batches` must have a `begin_epoch",
        lambda: fit_with(kfl.callbacks.SeedEpochs(0, LABELED)),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
