import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.settings import SETTINGS, with_defaults

# One value of each that may be, and one that is not the recommended.
POSSIBLE = {
    "batch_size": (32, 1),
    "unlabeled_ratio": (4, 0.5),
    "validation_share": (0.2, 0.5),
    "refit": (False, True),
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
    "labeled_view": ("strong", "weak"),
    "teacher_noise": (True, False),
    "student_noise": (True, False),
    "teacher": ("average", "frozen"),
    "ema_decay": (None, 0),
    "threshold": (0.6, 0),
    "temperature": (0.5, 1),
    "unlabeled_weight": (1.0, 0),
    "low_resolution": (None, 0.75),
    "high_resolution_steps": (100, 50),
}
RECOMMENDED = {
    **{name: value for name, (value, _) in POSSIBLE.items()},
    "why": {name: f"why {name}" for name in POSSIBLE},
}


def test_every_setting_is_tried_here():
    assert POSSIBLE.keys() == SETTINGS.keys()


@pytest.mark.parametrize("settings", [None, {}, {"why": {}}, RECOMMENDED])
def test_nothing_given_is_what_is_recommended(settings):
    assert with_defaults(settings, RECOMMENDED) == RECOMMENDED


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_is_given_counts_and_nothing_else_changes(name):
    value = POSSIBLE[name][1]
    settings = with_defaults({name: value}, RECOMMENDED)
    assert settings.pop(name) == value
    assert settings.pop("why") == {**RECOMMENDED["why"], name: "as given"}
    assert settings == {
        other: RECOMMENDED[other] for other in POSSIBLE if other != name
    }


def test_what_it_is_given_stays_as_it_was():
    given, recommended = {"patience": 1, "why": {}}, dict(RECOMMENDED)
    with_defaults(given, recommended)
    assert given == {"patience": 1, "why": {}}
    assert recommended == RECOMMENDED


@pytest.mark.parametrize(
    "name, expected, values",
    [
        ("batch_size", "an int of at least 1", (0, 1.0, True, "8", None)),
        ("supervised_steps", "an int of at least 1", (0, 1e3)),
        ("student_steps", "an int of at least 1", (0, 1e3)),
        ("steps_per_epoch", "an int of at least 1", (0, 1e3)),
        ("patience", "an int of at least 1", (0, None)),
        ("num_ops", "an int of at least 0", (-1, 1.5)),
        ("unlabeled_ratio", "a positive number", (0, -1, float("inf"))),
        ("learning_rate", "a positive number", (0, float("nan"), "auto")),
        ("temperature", "a positive number", (0, True)),
        ("validation_share", "a number from 0 to 0.5", (-0.1, 0.51, 1, 20)),
        ("label_smoothing", r"a number in \[0, 1\)", (-0.1, 1)),
        ("stochastic_depth", r"a number in \[0, 1\)", (-0.1, 1, False)),
        ("ema_decay", r"None or a number in \[0, 1\)", (-0.1, 1)),
        ("threshold", r"a number in \[0, 1\)", (-0.1, 1)),
        ("weight_decay", "a number of at least 0", (-1e-9, None)),
        ("magnitude", "a number of at least 0", (-1, "10")),
        ("unlabeled_weight", "a number of at least 0", (-1,)),
        ("flip", "True or False", (1, None, "horizontal")),
        ("cutout", "True or False", (0,)),
        ("refit", "True or False", (0, "yes")),
        ("teacher_noise", "True or False", (1,)),
        ("student_noise", "True or False", ("yes",)),
        ("ops", "None for all, or a list of names", ([], "rotate", [1])),
        ("table", "one of randaugment, noisy_student", ("paper", None, 1)),
        ("fill_value", "None or a number", ("grey", (0, 0, 0))),
        ("labeled_view", "'strong' or 'weak'", ("none", None)),
        ("teacher", "'average' or 'frozen'", ("ema", None, 0)),
        ("low_resolution", "None or a number between 0 and 1", (0, 1, "0.5")),
        ("high_resolution_steps", "an int of at least 1", (0, None)),
    ],
)
def test_what_may_not_be_is_refused(name, expected, values):
    for value in values:
        with pytest.raises(
            ValueError,
            match=f"setting '{name}' must be {expected}.*Received: ",
        ) as error:
            with_defaults({name: value}, RECOMMENDED)
        assert str(error.value).endswith(repr(value))


def test_names_that_are_no_settings_are_refused():
    expected = r"may have batch_size, .*steps\. Received: epochs, lr$"
    with pytest.raises(ValueError, match=expected):
        with_defaults({"lr": 1, "epochs": 2, "patience": 3}, RECOMMENDED)
