"""The settings of `fit_noisy_student`: what there is, and what it may be."""

import numbers

from keras_fewlabels.layers.rand_augment.tables import TABLES


def _is_int_from(low):
    return lambda value: _is_int(value) and value >= low


def _is_int(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_between(low, high):
    def check(value):
        is_number = isinstance(value, numbers.Real)
        return is_number and not isinstance(value, bool) and low <= value < high

    return check


def _is_bool(value):
    return isinstance(value, bool)


def _is_ops(value):
    return value is None or (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(isinstance(name, str) for name in value)
    )


_POSITIVE = _is_between(1e-12, float("inf"))
_SHARE = _is_between(0, 1)

# Name: (what it may be, in words, check).
SETTINGS = {
    "batch_size": ("an int of at least 1", _is_int_from(1)),
    "unlabeled_ratio": ("a positive number", _POSITIVE),
    # With more, a class of few images would have none left to train on.
    "validation_share": (
        "a number from 0 to 0.5",
        lambda value: _SHARE(value) and value <= 0.5,
    ),
    "refit": ("True or False", _is_bool),
    "supervised_steps": ("an int of at least 1", _is_int_from(1)),
    "student_steps": ("an int of at least 1", _is_int_from(1)),
    "steps_per_epoch": ("an int of at least 1", _is_int_from(1)),
    "patience": ("an int of at least 1", _is_int_from(1)),
    "learning_rate": ("a positive number", _POSITIVE),
    "weight_decay": ("a number of at least 0", _is_between(0, float("inf"))),
    "label_smoothing": ("a number in [0, 1)", _SHARE),
    "flip": ("True or False", _is_bool),
    "ops": ("None for all, or a list of names out of RandAugment.OPS", _is_ops),
    "num_ops": ("an int of at least 0", _is_int_from(0)),
    "magnitude": ("a number of at least 0", _is_between(0, float("inf"))),
    "table": (
        f"one of {', '.join(TABLES)}",
        lambda value: isinstance(value, str) and value in TABLES,
    ),
    "fill_value": (
        "None or a number",
        lambda value: value is None or isinstance(value, numbers.Real),
    ),
    "cutout": ("True or False", _is_bool),
    "labeled_view": (
        "'strong' or 'weak'",
        lambda value: value in ("strong", "weak"),
    ),
    "stochastic_depth": ("a number in [0, 1)", _SHARE),
    "teacher_noise": ("True or False", _is_bool),
    "student_noise": ("True or False", _is_bool),
    "teacher": (
        "'average' or 'frozen'",
        lambda value: value in ("average", "frozen"),
    ),
    "ema_decay": (
        "None or a number in [0, 1)",
        lambda value: value is None or _SHARE(value),
    ),
    "threshold": ("a number in [0, 1)", _SHARE),
    "temperature": ("a positive number", _POSITIVE),
    "unlabeled_weight": (
        "a number of at least 0",
        _is_between(0, float("inf")),
    ),
    "low_resolution": (
        "None or a number between 0 and 1",
        lambda value: value is None or (_SHARE(value) and value > 0),
    ),
    "high_resolution_steps": ("an int of at least 1", _is_int_from(1)),
}


def with_defaults(settings, recommended):
    """The settings to use: what was given, and for the rest the recommended.

    Args:
        settings: Optional dict, some or all of the settings.
        recommended: Dict of all.

    Returns:
        Dict of all settings, and under `"why"` a sentence for each.

    Raises:
        ValueError: If a setting is not known or not possible.
    """
    if settings is not None and not isinstance(settings, dict):
        raise ValueError(
            "`settings` must be a dict of names to values, as `recommend` "
            f"returns it. Received: settings={settings!r}"
        )
    given = dict(settings or {})
    given.pop("why", None)
    unknown = sorted(set(given) - set(SETTINGS))
    if unknown:
        raise ValueError(
            f"`settings` may have {', '.join(SETTINGS)}. "
            f"Received: {', '.join(unknown)}"
        )
    for name, value in given.items():
        expected, is_possible = SETTINGS[name]
        if not is_possible(value):
            raise ValueError(
                f"The setting {name!r} must be {expected}. Received: {value!r}"
            )
    changed = {
        name: "as given"
        for name, value in given.items()
        if value != recommended[name]
    }
    why = {**recommended["why"], **changed}
    return {**recommended, **given, "why": why}
