"""Checks that wrong arguments raise before anything happens."""

import keras
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
        "`schedule` must be a dict of epochs",
        lambda: finetune("flat", {}),
    ),
    "FineTune: list as schedule": (
        "`schedule` must be a dict of epochs",
        lambda: finetune("flat", [0, 5]),
    ),
    "FineTune: negative epoch": (
        "`epoch` must be an int, 0 or more",
        lambda: finetune("flat", {-1: "all"}),
    ),
    "FineTune: fraction of an epoch": (
        "`epoch` must be an int, 0 or more",
        lambda: finetune("flat", {0.5: "all"}),
    ),
    "FineTune: negative count of layers": (
        r"`schedule\[0\]` must be an int, 0 or more, or \"all\"",
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
        r"`learning_rates\[0\]` must be a number above 0",
        lambda: finetune("head", learning_rates={0: 0}),
    ),
    "FineTune: learning rate NaN": (
        r"`learning_rates\[0\]` must be a number above 0",
        lambda: finetune("head", learning_rates={0: NAN}),
    ),
    "FineTune: infinite learning rate": (
        r"`learning_rates\[0\]` must be a number above 0",
        lambda: finetune("head", learning_rates={0: float("inf")}),
    ),
    "FineTune: one learning rate": (
        "`learning_rates` must be a dict of epochs",
        lambda: finetune("head", learning_rates=1e-3),
    ),
    "FineTune: layer decay of 2": (
        "`layer_decay` must be a number in",
        lambda: finetune("head", layer_decay=2),
    ),
    "FineTune: a schedule and several steps at once": (
        "Compile with `steps_per_execution=1`",
        lambda: fit_with(
            kfl.callbacks.FineTune(
                "head",
                {0: "all"},
                learning_rates={
                    1: keras.optimizers.schedules.CosineDecay(0.1, 18)
                },
            ),
            classifier(steps_per_execution=3),
        ),
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
