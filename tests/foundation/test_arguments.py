import math

import numpy as np
import pytest

from keras_fewlabels.foundation import arguments
from keras_fewlabels.foundation.arguments import (
    BOOL,
    NONE,
    check_argument,
    check_arguments,
    check_bool,
    check_choice,
    check_fraction,
    check_int,
    check_list,
    check_names,
    check_number,
    check_positive,
    check_probability,
    check_seed,
    check_type,
    check_verbose,
    choice_rule,
    int_rule,
    number_rule,
)

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("value", [2, 7, np.int64(3), np.uint8(255)])
def test_ints_pass(value):
    check_int(value, "number", 2)


@pytest.mark.parametrize("value", [1, -3, 2.0, "2", None, True, [2]])
def test_other_values_than_ints_of_that_size_are_refused(value):
    expected = r"^`number` must be an int, 2 or more\. Received: number="
    with pytest.raises(ValueError, match=expected):
        check_int(value, "number", 2)


def test_an_int_may_have_an_upper_bound():
    check_int(4, "side", 1, most=4)
    expected = r"`side` must be an int from 1 to 4\. Received: side=5$"
    with pytest.raises(ValueError, match=expected):
        check_int(5, "side", 1, most=4)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1]", [0, 1, 0.5, np.float32(0.1)], [-0.1, 1.1, NAN, True, "0"]),
        ("[0, 1)", [0, 0.999], [1, -1e-9, None]),
        ("(0, 1]", [1, 1e-9], [0, 2, [0.5]]),
        ("(0, inf)", [1e-9, 1e9], [0, -1, INF, NAN]),
        ("(0, inf]", [1e-9, INF], [0, -INF, NAN]),
        ("[2, inf)", [2, 3], [1.9, INF]),
        ("(-inf, inf)", [-5, 0, 1e300], [INF, -INF, NAN, "1", 1j]),
    ],
)
def test_numbers_of_an_interval(interval, inside, outside):
    for value in inside:
        check_number(value, "rate", interval)
    for value in outside:
        with pytest.raises(ValueError, match=r"`rate` must be a .*number"):
            check_number(value, "rate", interval)


@pytest.mark.parametrize(
    ("check", "inside", "outside", "expected"),
    [
        (check_probability, [0, 1], [-0.1, 1.1], r"a number in \[0, 1\]\. R"),
        (check_fraction, [0, 0.9], [1, -0.1], r"a number in \[0, 1\)\. Rec"),
        (check_positive, [0.1, 9], [0, INF], r"a number above 0\. Received"),
        (check_bool, [True, np.bool_(0)], [0, "no"], r"True or False\. Rec"),
    ],
)
def test_named_checks(check, inside, outside, expected):
    for value in inside:
        check(value, "rate")
    check(None, "rate", optional=True)
    for value in [*outside, None]:
        with pytest.raises(ValueError, match=f"`rate` must be {expected}"):
            check(value, "rate")
    with pytest.raises(ValueError, match=r"or None\. Ask\. Received: rate=\["):
        check([], "rate", optional=True, hint="Ask.")


def test_choices():
    check_choice("b", "mode", ("a", "b", "c"))
    expected = r"`mode` must be 'a', 'b' or 'c'\. Received: mode=<obj"
    with pytest.raises(ValueError, match=expected):
        check_choice(object(), "mode", ("a", "b", "c"))
    with pytest.raises(ValueError, match=r"mode=array"):
        check_choice(np.zeros(2), "mode", ("a", "b", "c"))
    check_choice(None, "mode", ("a",), optional=True)


def test_types():
    check_type(3, "number", int, "an int")
    with pytest.raises(
        ValueError, match=r"`number` must be an int, or None\. R"
    ):
        check_type("3", "number", int, "an int", optional=True)


def test_a_seed_may_be_left_out():
    for seed in (None, 0, 7):
        check_seed(seed)
    for seed in (-1, "7", 0.5):
        with pytest.raises(ValueError, match="`seed` must be an int, 0 or"):
            check_seed(seed)


def test_verbose():
    found = [check_verbose(value) for value in ("auto", 0, 1, 2, False, True)]
    assert found == [1, 0, 1, 2, 0, 1]
    for value in ("loud", 3, None):
        with pytest.raises(ValueError, match="`verbose` must be 'auto', 0"):
            check_verbose(value)


def test_names():
    assert check_names(("a", "b"), "class_names", 2) == ["a", "b"]
    assert check_names(np.array(["a", "b"]), "class_names") == ["a", "b"]
    for names in ("ab", ["a", "a"], ["a", ""], [], ["a", 1], None, {"a", "b"}):
        with pytest.raises(ValueError, match="`class_names` must be a list o"):
            check_names(names, "class_names")
    with pytest.raises(ValueError, match="a list of 3 strings"):
        check_names(["a", "b"], "class_names", 3)


def test_an_argument_may_meet_one_of_several_rules():
    for value in (3, True, None):
        check_argument(value, "it", int_rule(), BOOL, NONE)
    expected = "`it` must be an int, 1 or more, or True or False, or None. Rec"
    with pytest.raises(ValueError, match=expected):
        check_argument("3", "it", int_rule(), BOOL, NONE)


def test_a_table_of_rules():
    class Layer:
        rate = 1.5
        scale = True

    rules = {"rate": (number_rule("[0, 1)"), NONE), "scale": BOOL}
    check_arguments(rules, {"rate": None, "scale": False, "else": 3})
    with pytest.raises(ValueError, match="`scale` must be True or False"):
        check_arguments(rules, {"rate": 0.5, "scale": 1})
    with pytest.raises(ValueError, match=r"`rate` must be.*Received: rate=1.5"):
        check_arguments(rules, Layer())


def test_every_error_shows_the_received_value():
    for name in dir(arguments):
        if not name.startswith("check_") or name == "check_arguments":
            continue
        options = {
            "check_choice": [("a", "b")],
            "check_number": ["[0, 1]"],
            "check_type": [int, "an int"],
            "check_argument": [BOOL],
            "check_list": [BOOL],
        }.get(name, [])
        own = ("check_seed", "check_verbose")
        names = [] if name in own else ["it"]
        with pytest.raises(ValueError, match=r"Received: \w+=<object object"):
            getattr(arguments, name)(object(), *names, *options)


@pytest.mark.parametrize(
    "values", [(), (0,), (1, 6), (1, 1), (2.5,), ("3",), "12", 3, None, [True]]
)
def test_lists_of_other_entries(values):
    check_list([5, 2], "severities", int_rule(1, 5))
    check_list(range(1, 6), "severities", int_rule(1, 5))
    with pytest.raises(
        ValueError, match=r"all different and each an int from 1 to 5.*Received"
    ):
        check_list(values, "severities", int_rule(1, 5))


def test_lists_of_other_names():
    rule = choice_rule("a", "b")
    check_list(("b", "a"), "names", rule)
    for names in (["a", "c"], "a", ["b", "b"], [["a"]]):
        with pytest.raises(ValueError, match=r"`names` must .*'a' or 'b'"):
            check_list(names, "names", rule)
