import numpy as np
import pytest

from keras_fewlabels.foundation.arguments import (
    check_int,
    check_seed,
    check_value_range,
)


@pytest.mark.parametrize("value", [2, 7, np.int64(3), np.uint8(255)])
def test_ints_pass(value):
    check_int(value, "number", 2)


@pytest.mark.parametrize("value", [1, -3, 2.0, "2", None, True, [2]])
def test_what_is_no_int_from_there_on_is_refused(value):
    expected = r"`number` must be an int, 2 or more\. Received: number="
    with pytest.raises(ValueError, match=expected):
        check_int(value, "number", 2)


def test_a_seed_may_be_left_out():
    for seed in (None, 0, 7):
        check_seed(seed)
    for seed in (-1, "7", 0.5):
        with pytest.raises(ValueError, match="`seed` must be an int, 0 or"):
            check_seed(seed)


@pytest.mark.parametrize(
    "value_range", [(0, 255), [-1, 1], np.array([0.0, 0.5]), (-2.5, 7)]
)
def test_ranges_pass(value_range):
    check_value_range(value_range)


@pytest.mark.parametrize(
    "value_range",
    [
        255,
        None,
        "01",
        (1, 0),
        (1, 1),
        (0, 1, 2),
        (0, float("nan")),
        (0, float("inf")),
        ("black", "white"),
    ],
)
def test_other_ranges_are_refused(value_range):
    expected = "values of black and white, the lower one first.*Received: val"
    with pytest.raises(ValueError, match=expected):
        check_value_range(value_range)
