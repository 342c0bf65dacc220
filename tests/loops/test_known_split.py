import pytest

from keras_fewlabels.loops.known_split import known_split

BOTH = {"validation": {"accuracy": 0.5}, "test": {"accuracy": 0.0}}
VALIDATION = {"validation": {"accuracy": 0.5}, "test": None}
TEST = {"test": {"accuracy": 0.5}}
UNKNOWN = {"validation": {"accuracy": None, "loss": 1.0}}


@pytest.mark.parametrize(
    "parts, split",
    [
        ([BOTH], "test"),
        ([BOTH, TEST], "test"),
        ([BOTH, VALIDATION], "validation"),
        ([VALIDATION, TEST], None),
        ([BOTH, {}], None),
        ([UNKNOWN], None),
        (iter([VALIDATION, BOTH]), "validation"),
    ],
)
def test_only_what_all_parts_have(parts, split):
    assert known_split(parts) == split
