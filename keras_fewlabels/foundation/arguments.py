"""Checks of arguments, one line each at their use.

All of them raise a `ValueError` of one form: the argument and what it must
be, an optional hint, and what was received. Checks that compare two arguments
stay where the arguments are.
"""

import dataclasses
import math
import numbers
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Rule:
    """A condition on one value, with the words that describe it.

    Args:
        expected: String that completes "the argument must be ...".
        accepts: Function of a value that returns whether the value meets the
            condition.
    """

    expected: str
    accepts: Callable


NONE = Rule("None", lambda value: value is None)
BOOL = Rule("True or False", lambda value: isinstance(value, bool | np.bool_))


def int_rule(least=1, most=None):
    """Returns the rule for an int from `least` to `most`, both included."""
    high = math.inf if most is None else most

    def accepts(value):
        is_int = isinstance(value, numbers.Integral)
        return is_int and not isinstance(value, bool) and least <= value <= high

    if most is None:
        return Rule(f"an int, {least} or more", accepts)
    return Rule(f"an int from {least} to {most}", accepts)


def number_rule(interval):
    """Returns the rule for a number in an interval.

    Args:
        interval: String in the notation of mathematics, where a round bracket
            excludes the bound: `"[0, 1]"`, `"[0, 1)"`, `"(0, inf)"`. Infinity
            passes `"(0, inf]"`.
    """
    low, high = map(float, interval[1:-1].split(","))

    def accepts(value):
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            return False
        above = low < value or (interval[0] == "[" and low == value)
        below = value < high or (interval[-1] == "]" and high == value)
        return bool(above and below)

    if math.isfinite(high):
        return Rule(f"a number in {interval}", accepts)
    if math.isinf(low):
        return Rule("a finite number", accepts)
    words = f", {low:g} or more" if interval[0] == "[" else f" above {low:g}"
    return Rule(f"a number{words}", accepts)


def choice_rule(*choices):
    """Returns the rule for one of a few strings, numbers or `None`."""

    def accepts(value):
        same_type = (
            choice for choice in choices if type(choice) is type(value)
        )
        return any(choice == value for choice in same_type)

    return Rule(_listed([repr(choice) for choice in choices]), accepts)


def type_rule(types, expected):
    """Returns the rule for an instance of `types`, described in words."""
    return Rule(expected, lambda value: isinstance(value, types))


def check_argument(value, argument, *rules, hint=""):
    """Checks that a value meets one of several rules.

    Args:
        value: Any object.
        argument: String, the name of the argument that the value was passed
            as.
        *rules: `Rule`s. One of them has to accept the value.
        hint: Optional string, which says how to mend a wrong value.

    Raises:
        ValueError: If no rule accepts the value.

    Example:

    >>> check_argument(7, "seed", int_rule(0), NONE)
    >>> check_argument("7", "seed", int_rule(0), NONE)
    Traceback (most recent call last):
    ValueError: `seed` must be an int, 0 or more, or None. Received: seed='7'
    """
    if any(rule.accepts(value) for rule in rules):
        return
    expected = ", or ".join(rule.expected for rule in rules)
    hint = f" {hint.rstrip('.')}." if hint else ""
    raise ValueError(
        f"`{argument}` must be {expected}.{hint} Received: {argument}={value!r}"
    )


def check_arguments(rules, values):
    """Checks many arguments by a table.

    Args:
        rules: Dict of names of arguments to a `Rule`, or to a tuple of
            `Rule`s of which one has to accept the value.
        values: Dict of the same names to values, or an object that has them
            as attributes.

    Raises:
        ValueError: If a value meets none of its rules.

    Example:

    >>> rules = {"rate": number_rule("[0, 1)"), "scale": BOOL}
    >>> check_arguments(rules, {"rate": 0.5, "scale": True})
    """
    if not isinstance(values, dict):
        values = {name: getattr(values, name) for name in rules}
    for name, alternatives in rules.items():
        if isinstance(alternatives, Rule):
            alternatives = (alternatives,)
        check_argument(values[name], name, *alternatives)


def check_int(value, argument, least=1, *, most=None, optional=False, hint=""):
    """Checks that a value is an int from `least` to `most`.

    The arguments `argument`, `optional` and `hint` of this and the following
    checks are the name of the argument in the error, whether `None` passes
    as well, and how to mend a wrong value.
    """
    _check(value, argument, int_rule(least, most), optional, hint)


def check_number(value, argument, interval, *, optional=False, hint=""):
    """Checks that a value is a number in an interval: `"[0, 1)"`."""
    _check(value, argument, number_rule(interval), optional, hint)


def check_positive(value, argument, *, optional=False, hint=""):
    """Checks that a value is a finite number above 0."""
    _check(value, argument, number_rule("(0, inf)"), optional, hint)


def check_probability(value, argument, *, optional=False, hint=""):
    """Checks that a value is a number from 0 to 1, both included."""
    _check(value, argument, number_rule("[0, 1]"), optional, hint)


def check_fraction(value, argument, *, optional=False, hint=""):
    """Checks that a value is a number from 0 to 1, with 1 excluded."""
    _check(value, argument, number_rule("[0, 1)"), optional, hint)


def check_bool(value, argument, *, optional=False, hint=""):
    """Checks that a value is `True` or `False`."""
    _check(value, argument, BOOL, optional, hint)


def check_choice(value, argument, choices, *, optional=False, hint=""):
    """Checks that a value is one of `choices`, strings or numbers."""
    _check(value, argument, choice_rule(*choices), optional, hint)


def check_type(value, argument, types, expected, *, optional=False, hint=""):
    """Checks that a value is an instance of `types`.

    Args:
        value: Any object.
        argument: String, the name of the argument.
        types: Class, or tuple of classes.
        expected: String, the words for it, such as `"a Keras model"`.
        optional: Boolean. If `True`, `None` passes as well.
        hint: Optional string, which says how to mend a wrong value.
    """
    _check(value, argument, type_rule(types, expected), optional, hint)


def check_seed(seed):
    """Checks that a seed is `None` or an int of at least 0."""
    check_int(seed, "seed", 0, optional=True)


def check_verbose(verbose):
    """Checks that `verbose` is `"auto"`, 0, 1 or 2, and returns it as an int.

    `"auto"` and `True` are 1, and `False` is 0.
    """
    check_choice(verbose, "verbose", ("auto", 0, 1, 2, False, True))
    return 1 if verbose == "auto" else int(verbose)


def check_names(names, argument, count=None):
    """Checks that a value is a list of different strings, none of them empty.

    Args:
        names: Any object.
        argument: String, the name of the argument.
        count: Optional int, how many names there must be.

    Returns:
        The names as a list.

    Raises:
        ValueError: If `names` is a string, no sequence, has an entry that is
            no string, is empty or comes twice, or has another length.
    """
    is_list = isinstance(names, list | tuple | np.ndarray)
    if not (
        is_list
        and all(isinstance(name, str) and name for name in names)
        and len(set(names)) == len(names) > 0
        and count in (None, len(names))
    ):
        number = "" if count is None else f"{count} "
        raise ValueError(
            f"`{argument}` must be a list of {number}strings, all different "
            f"and none of them empty. Received: {argument}={names!r}"
        )
    return [str(name) for name in names]


def check_list(values, argument, rule):
    """Checks that a value is a list of different entries that meet a rule.

    Args:
        values: Any object. Tuples and ranges pass as well.
        argument: String, the name of the argument.
        rule: `Rule` for each entry, such as `choice_rule("fog", "snow")`.

    Raises:
        ValueError: If `values` is no list, is empty, has an entry twice, or
            has one that the rule does not accept.

    Example:

    >>> check_list((1, 3), "severities", int_rule(1, 5))
    """
    is_list = isinstance(values, list | tuple | range) and len(values) > 0
    if not (
        is_list
        and all(rule.accepts(value) for value in values)
        and len(set(values)) == len(values)
    ):
        raise ValueError(
            f"`{argument}` must be a list with one entry or more, all "
            f"different and each {rule.expected}. "
            f"Received: {argument}={values!r}"
        )


def _check(value, argument, rule, optional, hint):
    rules = (rule, NONE) if optional else (rule,)
    check_argument(value, argument, *rules, hint=hint)


def _listed(words):
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
