import re

import numpy as np
import pytest

from keras_fewlabels.plots.accuracy_arrays import accuracy_arrays


def test_numbers_and_lists_of_numbers_become_arrays():
    found = accuracy_arrays(
        "steps", {"one": 0.25, 2: [0, 1], "np": np.float32(0.5)}
    )
    assert {name: each.tolist() for name, each in found.items()} == {
        "one": [0.25],
        "2": [0.0, 1.0],
        "np": [0.5],
    }


@pytest.mark.parametrize(
    "accuracies, message",
    [
        ({}, "`steps` must be a dict.*with at least one.*steps={}"),
        ([0.5], r"must be a dict of names.*steps=\[0.5\]"),
        ({"a": "high"}, r"in `steps` must be a number.*steps\['a'\]='high'"),
        ({"a": None}, r"must be a number.*steps\['a'\]=None"),
        ({"a": []}, r"list of at least one number.*steps\['a'\]=\[\]"),
        ({"a": [[0.5]]}, r"a list of at least one number.*=\[\[0.5\]\]"),
        ({"a": np.nan}, r"must be a number.*steps\['a'\]=nan"),
        ({"a": 0.5, "b": 56.1}, r"divide percentages by 100.*\['b'\]=56.1"),
        ({"a": [0.5, -0.1]}, r"fractions in 0 to 1.*\[0.5, -0.1\]"),
    ],
)
def test_wrong_accuracies(accuracies, message):
    with pytest.raises(ValueError) as error:
        accuracy_arrays("steps", accuracies)
    assert re.search(message, str(error.value))
