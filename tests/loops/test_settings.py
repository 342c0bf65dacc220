import dataclasses
import json

import numpy as np
import pytest

from keras_fewlabels.loops import Settings
from keras_fewlabels.loops.choose_settings import choose_settings

# One value of each that may be, and one that is not the recommended.
POSSIBLE = {
    "pretrained": (False, True),
    "rounds": (3, 1),
    "balanced": (False, True),
    "batch_size": (32, 1),
    "unlabeled_ratio": (4, 0.5),
    "validation_split": (0.2, 0.5),
    "train_on_validation": (False, True),
    "supervised_steps": (1000, np.int64(1)),
    "student_steps": (1000, 1),
    "steps_per_epoch": (50, 1),
    "patience": (5, 1),
    "learning_rate": (1e-3, np.float32(1)),
    "weight_decay": (1e-2, 0),
    "label_smoothing": (0.1, 0),
    "flip": (True, False),
    "ops": (None, ["identity"]),
    "num_ops": (2, 0),
    "magnitude": (10, 0.5),
    "table": ("fixmatch", "randaugment"),
    "fill_value": (None, -1.5),
    "cutout": (True, False),
    "stochastic_depth": (0.2, 0.0),
    "labeled_noise": ("strong", "weak"),
    "supervised_noise": (True, False),
    "student_noise": (True, False),
    "teacher": ("average", "frozen"),
    "ema_decay": (None, 0),
    "threshold": (0.6, 0),
    "temperature": (0.5, 1),
    "unlabeled_weight": (1.0, 0),
    "low_resolution": (None, 0.75),
    "high_resolution_steps": (100, 50),
}
RECOMMENDED = Settings(
    **{name: value for name, (value, _) in POSSIBLE.items()},
    why={name: f"why {name}" for name in POSSIBLE},
)


def test_every_setting_is_tried_here():
    assert POSSIBLE.keys() == RECOMMENDED.to_dict().keys()


@pytest.mark.parametrize(
    "given", [None, {}, {"why": {}}, RECOMMENDED, RECOMMENDED.to_dict()]
)
def test_without_changes_the_settings_are_those_recommended(given):
    settings = choose_settings(given, RECOMMENDED, {})
    assert settings == RECOMMENDED and settings.why == RECOMMENDED.why


@pytest.mark.parametrize("name", POSSIBLE)
def test_a_change_changes_nothing_else(name):
    value = POSSIBLE[name][1]
    settings = choose_settings({name: value}, RECOMMENDED, {})
    expected = {**RECOMMENDED.to_dict(), name: value}
    assert settings.to_dict() == expected
    assert settings[name] == getattr(settings, name)
    assert settings.why == {**RECOMMENDED.why, name: "as given"}
    assert RECOMMENDED.why[name] == f"why {name}"
    replaced = dataclasses.replace(RECOMMENDED, **{name: value})
    assert choose_settings(replaced, RECOMMENDED, {}) == settings
    # Plain values, which JSON can hold.
    assert Settings.from_dict(json.loads(json.dumps(expected_json(settings))))


def expected_json(settings):
    values = settings.to_dict()
    plain = {bool, int, float, str, list, type(None)}
    assert {type(value) for value in values.values()} <= plain
    return values


def test_settings_are_frozen_and_keep_the_order_of_no_list():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RECOMMENDED.flip = True
    ops = ["rotate"]
    settings = dataclasses.replace(RECOMMENDED, ops=ops)
    ops.append("invert")
    assert settings.ops == ("rotate",)
    assert hash(settings) != hash(RECOMMENDED)


def test_a_dict_of_some_settings_is_not_all():
    with pytest.raises(ValueError, match=r"must have all .*without batch_size"):
        Settings.from_dict({"flip": True})


@pytest.mark.parametrize(
    "name, expected, values",
    [
        ("batch_size", "an int, 1 or more", (0, 1.0, True, "8", None)),
        ("supervised_steps", "an int, 1 or more", (0, 1e3)),
        ("student_steps", "an int, 1 or more", (0, 1e3)),
        ("steps_per_epoch", "an int, 1 or more", (0, 1e3)),
        ("patience", "an int, 1 or more", (0, None)),
        ("num_ops", "an int, 0 or more", (-1, 1.5)),
        ("unlabeled_ratio", "a number above 0", (0, -1, float("inf"))),
        ("learning_rate", "a number above 0", (0, float("nan"), "auto")),
        ("temperature", "a number above 0", (0, True)),
        ("validation_split", r"a number in \[0, 0.5\]", (-0.1, 0.51, 1, 20)),
        ("label_smoothing", r"a number in \[0, 1\)", (-0.1, 1)),
        ("stochastic_depth", r"a number in \[0, 1\)", (-0.1, 1, False)),
        ("ema_decay", r"a number in \[0, 1\), or None", (-0.1, 1)),
        ("threshold", r"a number in \[0, 1\)", (-0.1, 1)),
        ("weight_decay", "a number, 0 or more", (-1e-9, None)),
        ("magnitude", "a number, 0 or more", (-1, "10")),
        ("unlabeled_weight", "a number, 0 or more", (-1,)),
        ("flip", "True or False", (1, None, "horizontal")),
        ("cutout", "True or False", (0,)),
        ("train_on_validation", "True or False", (0, "yes")),
        ("supervised_noise", "True or False", (1,)),
        ("student_noise", "True or False", ("yes",)),
        (
            "ops",
            "a list of names out of RandAugment.OPS, or None",
            ([], "rotate", [1]),
        ),
        ("table", "'randaugment', 'noisy_student'", ("paper", None, 1)),
        ("fill_value", "a finite number, or None", ("grey", (0, 0, 0))),
        ("labeled_noise", "'strong' or 'weak'", ("none", None)),
        ("teacher", "'average' or 'frozen'", ("ema", None, 0)),
        ("low_resolution", r"a number in \(0, 1\), or None", (0, 1, "0.5")),
        ("high_resolution_steps", "an int, 1 or more", (0, None)),
    ],
)
def test_an_impossible_value_is_refused(name, expected, values):
    for value in values:
        with pytest.raises(
            ValueError, match=f"`{name}` must be {expected}.*Received: {name}="
        ) as error:
            dataclasses.replace(RECOMMENDED, **{name: value})
        assert str(error.value).endswith(repr(value))
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            choose_settings({name: value}, RECOMMENDED, {})


def test_unknown_names_are_refused():
    expected = r"may have pretrained, rounds, .*steps\. Received: epochs, lr$"
    with pytest.raises(ValueError, match=expected):
        choose_settings({"lr": 1, "epochs": 2, "patience": 3}, RECOMMENDED, {})
    with pytest.raises(ValueError, match="Received: epochs"):
        RECOMMENDED["epochs"]


@pytest.mark.parametrize(
    "old, new",
    [
        ("teacher_noise", "supervised_noise"),
        ("labeled_view", "labeled_noise"),
        ("validation_share", "validation_split"),
        ("refit", "train_on_validation"),
    ],
)
def test_an_old_name_is_refused_with_the_new_one(old, new):
    with pytest.raises(ValueError, match=f"'{old}' is now '{new}'"):
        choose_settings({old: True}, RECOMMENDED, {})
