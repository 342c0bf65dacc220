import pytest

from keras_fewlabels.evaluation import CorruptionReport, alexnet_errors
from keras_fewlabels.evaluation.baseline_errors import baseline_errors

ALL = (1, 2, 3, 4, 5)
REPORT = CorruptionReport(0, {"fog": (0.5, 0.25), "snow": (0, 0)}, (2, 5))


def test_means_of_each_kind_of_baseline():
    assert baseline_errors(None, ["fog"], ALL) is None
    assert baseline_errors(REPORT, ["fog"], [5, 2]) == {"fog": 0.375}
    assert baseline_errors(alexnet_errors(), ["snow", "fog"], ALL) == {
        "snow": 0.866816,
        "fog": 0.819324,
    }


@pytest.mark.parametrize(
    "baseline, names, severities, message",
    [
        (REPORT, ["fog"], (1, 2), r"means over severities \(2, 5\).*=\(1, 2\)"),
        (
            alexnet_errors(),
            ["fog"],
            (1, 2, 3, 4),
            r"severities \(1, 2, 3, 4, 5\)",
        ),
        (alexnet_errors(), ["fog", "spatter"], ALL, r"none for \['spatter'\]"),
        (REPORT, ["fog", "snow"], (2, 5), r"errs under each.*\['snow'\]"),
        ([0.5], ["fog"], ALL, r"`alexnet_errors\(\)`.*baseline=\[0.5\]"),
    ],
)
def test_wrong_baselines(baseline, names, severities, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        baseline_errors(baseline, names, severities)
