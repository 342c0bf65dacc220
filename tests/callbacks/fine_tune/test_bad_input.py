"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import NAN, check_refused, classifier, fit_with, parameters


def finetune(*arguments, **options):
    fit_with(kfl.callbacks.FineTune(*arguments, **options))


# Name: (expected in the message, the call that must raise).
CASES = {
    "FineTune: unknown backbone": (
        "must be a layer of the model in training",
        lambda: finetune("resnet"),
    ),
    "FineTune: backbone of another type": (
        "must be a layer of the model in training",
        lambda: finetune(3),
    ),
    "FineTune: empty schedule": (
        "`schedule` says from which epoch on",
        lambda: finetune("flat", {}),
    ),
    "FineTune: list as schedule": (
        "`schedule` says from which epoch on",
        lambda: finetune("flat", [0, 5]),
    ),
    "FineTune: negative epoch": (
        "integers counted from 0",
        lambda: finetune("flat", {-1: "all"}),
    ),
    "FineTune: fraction of an epoch": (
        "integers counted from 0",
        lambda: finetune("flat", {0.5: "all"}),
    ),
    "FineTune: negative count of layers": (
        "A stage of `schedule` is a count",
        lambda: finetune("flat", {0: -2}),
    ),
    "FineTune: more layers than there are": (
        "asks for 9 layers",
        lambda: finetune("head", {0: 9}),
    ),
    "FineTune: unknown layer": (
        "has no layer of this name",
        lambda: finetune("head", {0: ["block5"]}),
    ),
    "FineTune: nothing trains": (
        "Nothing in the model trains",
        lambda: finetune("head", {0: 0}),
    ),
    "FineTune: learning rate of 0": (
        "maps an epoch to a float above 0",
        lambda: finetune("head", learning_rates={0: 0}),
    ),
    "FineTune: learning rate NaN": (
        "maps an epoch to a float above 0",
        lambda: finetune("head", learning_rates={0: NAN}),
    ),
    "FineTune: infinite learning rate": (
        "maps an epoch to a float above 0",
        lambda: finetune("head", learning_rates={0: float("inf")}),
    ),
    "FineTune: one learning rate": (
        "`learning_rates` maps an epoch",
        lambda: finetune("head", learning_rates=1e-3),
    ),
    "FineTune: layer decay of 2": (
        "`layer_decay` is the learning rate of a block",
        lambda: finetune("head", layer_decay=2),
    ),
    "FineTune: model not compiled": (
        r"Call `compile\(\)` before `fit\(\)`",
        lambda: kfl.callbacks.FineTune("head").set_model(classifier(loss=None)),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
