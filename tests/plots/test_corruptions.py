import numpy as np
import pytest

from keras_fewlabels import plots
from keras_fewlabels.evaluation import CorruptionReport

ERRORS = {"fog": [0.25, 0.5], "snow": [0.125, 0.875]}
REPORT = CorruptionReport(0.1, ERRORS, (2, 4))
# With the means of rows and columns.
CELLS = [[0.25, 0.5, 0.375], [0.125, 0.875, 0.5], [0.1875, 0.6875, 0.4375]]


@pytest.mark.parametrize(
    "errors, ticks, title",
    [
        (ERRORS, ["1", "2", "mean"], "error in %"),
        (REPORT, ["2", "4", "mean"], "error in % (clean: 10)"),
        (REPORT.to_dict(), ["2", "4", "mean"], "error in % (clean: 10)"),
        ({"net": REPORT}, ["2", "4", "mean"], "net\nerror in % (clean: 10)"),
    ],
)
def test_errors_and_their_means(errors, ticks, title, tmp_path):
    figure = plots.corruptions(errors)
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.images[0].get_array(), CELLS)
    assert axes.images[0].get_clim() == (0, 1)
    texts = [text.get_text() for text in axes.texts]
    assert texts == [f"{100 * cell:.0f}" for row in CELLS for cell in row]
    assert [t.get_text() for t in axes.get_xticklabels()] == ticks
    rows = [t.get_text() for t in axes.get_yticklabels()]
    assert rows == ["fog", "snow", "mean"]
    assert axes.get_title() == title
    figure.savefig(tmp_path / "errors.png")
    assert (tmp_path / "errors.png").read_bytes()[1:4] == b"PNG"


def test_models_side_by_side():
    other = {"fog": [0.0, 1.0], "snow": [0.5, 0.5]}
    figure = plots.corruptions({"plain": ERRORS, "robust": other})
    first, second = figure.axes
    assert first.get_title().startswith("plain")
    assert second.get_title().startswith("robust")
    assert second.images[0].get_array()[0].tolist() == [0, 1, 0.5]


def test_light_text_on_dark_cells():
    (axes,) = plots.corruptions({"fog": [0.0, 1.0]}).axes
    assert [text.get_color() for text in axes.texts[:2]] == ["black", "white"]


@pytest.mark.parametrize(
    "errors, message",
    [
        ([0.5], r"what `evaluate_corruptions\(\)` returns.*errors=\[0.5\]"),
        ({}, r"a dict of names.*errors=\{\}"),
        ({"fog": [0.1, 0.2], "snow": [0.1]}, "an error for each severity"),
        ({"fog": []}, "an error for each severity"),
        ({"fog": [12.5, 40]}, "divide percentages by 100.*12.5 to 40.0"),
        ({"fog": [0.5, np.nan]}, "fractions in 0 to 1"),
        (
            {"a": {"fog": [0.1]}, "b": {"snow": [0.1]}},
            r"the same corruptions.*'b' with \(\['snow'\], \[1\]\)",
        ),
    ],
)
def test_wrong_errors(errors, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        plots.corruptions(errors)
