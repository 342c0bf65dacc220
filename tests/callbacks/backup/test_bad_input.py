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
from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs

# Name: (expected in the message, the call that must raise).
CASES = {
    "ExactBackup: no folder": (
        "`backup_dir` must be the path of a folder",
        lambda: fit_with(kfl.callbacks.ExactBackup("")),
    ),
    "ExactBackup: a file in the way": (
        "`backup_dir` must be a folder in which you may create files",
        lambda: fit_with(kfl.callbacks.ExactBackup("file")),
    ),
    "ExactBackup: option of another type": (
        "`double_checkpoint` must be True or False",
        lambda: kfl.callbacks.ExactBackup("backup", double_checkpoint="yes"),
    ),
    "ExactBackup: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: fit_with(kfl.callbacks.ExactBackup("backup", seed=-1)),
    ),
    "ExactBackup: batches without an order": (
        "`batches` must have a method `begin_epoch",
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
        lambda: fit_with(SeedEpochs(-1)),
    ),
    "SeedEpochs: seed of another type": (
        "`seed` must be an int, 0 or more",
        lambda: fit_with(SeedEpochs(None)),
    ),
    "SeedEpochs: batches without a seed": (
        "`batches` must have a method `begin_epoch",
        lambda: fit_with(SeedEpochs(0, LABELED)),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
