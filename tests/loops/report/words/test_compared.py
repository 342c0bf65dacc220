import pytest

from keras_fewlabels.loops.report.words.compared import (
    compared_figure,
    figure_in_words,
    known_split,
)

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


def test_of_another_figure_only_what_all_parts_have():
    ranked = {"test": {"accuracy": 0.5, "mean_average_precision": None}}
    assert known_split([ranked], "mean_average_precision") is None
    ranked["validation"] = {"mean_average_precision": 0.5}
    split = known_split([ranked], "mean_average_precision")
    assert split == "validation"


@pytest.mark.parametrize(
    "data, figure",
    [
        ({}, "accuracy"),
        ({"several_labels": False}, "accuracy"),
        ({"several_labels": True}, "mean_average_precision"),
    ],
)
def test_what_models_are_compared_by(data, figure):
    assert compared_figure({"data": data}) == figure
    assert figure_in_words({"data": data}) == figure.replace("_", " ")
