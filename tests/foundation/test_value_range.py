import math

import keras
import numpy as np
import pytest

from keras_fewlabels.foundation import (
    check_value_range,
    has_other_range,
    resolve_value_range,
)


@pytest.mark.parametrize(
    "value_range", [(0, 255), [-1, 1], np.array([0.0, 0.5]), (-2.5, 7)]
)
def test_ranges_pass(value_range):
    check_value_range(value_range)
    assert resolve_value_range(value_range, None) == tuple(value_range)


@pytest.mark.parametrize(
    "value_range",
    [
        255,
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
    with pytest.raises(ValueError, match=expected):
        resolve_value_range(value_range, np.zeros(3))


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([0, 1], "uint8", (0, 255)),
        ([0, 1], "float32", (0, 1)),
        ([0, 1], "int64", (0, 1)),
        ([-0.01, 1], "float32", (-1, 1)),
        ([0, 1.01], "float16", (0, 255)),
        ([0, 255], "float64", (0, 255)),
    ],
)
def test_the_narrowest_range_that_holds_all_values(values, dtype, expected):
    assert resolve_value_range(None, np.array(values, dtype)) == expected


@pytest.mark.parametrize(
    "values", [[0, 256], [-1.1, 0], [-1, 2], [math.nan, 0]]
)
def test_a_range_that_the_values_do_not_tell_is_asked_for(values):
    expected = r"`x` do not tell.*`value_range=\(black, white\)`.*x with values"
    with pytest.raises(ValueError, match=expected):
        resolve_value_range(None, np.array(values), "x")


@pytest.mark.parametrize(
    ("low", "high", "value_range", "expected"),
    [
        (0, 1, (0, 255), True),
        (-1, 1, (0, 255), True),
        (-2.1, 2.6, (0, 255), True),  # Standardized images.
        (0, 257, (0, 65535), True),
        (0, 255, (0, 1), True),
        (-1, 1, (0, 1), True),
        (0, 255, (-1, 1), True),
        (0, 1 / 255, (0, 1), True),  # Divided by 255 twice.
        (0, 255, (0, 255), False),
        (0, 1, (0, 1), False),
        (0, 1, (-1, 1), False),
        (0, 1.5, (0, 255), False),  # Dark.
        (0, 0, (0, 255), False),  # Black.
        (-1, -1, (-1, 1), False),
        (200, 200, (0, 255), False),  # Flat.
        (-0.3, 1.3, (0, 1), False),  # Noise was added.
    ],
)
def test_other_ranges_are_noticed(low, high, value_range, expected):
    assert bool(has_other_range(low, high, value_range)) == expected
    tensors = (keras.ops.array(x, "float32") for x in (low, high))
    assert bool(has_other_range(*tensors, value_range)) == expected
