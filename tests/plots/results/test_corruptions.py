import numpy as np
import pytest

from keras_fewlabels.plots.results.corruptions import corruptions

ERRORS = {"fog": [0.25, 0.5], "snow": [0.125, 0.875]}
# With the means of rows and columns.
CELLS = [[0.25, 0.5, 0.375], [0.125, 0.875, 0.5], [0.1875, 0.6875, 0.4375]]


def report(errors=ERRORS, severities=(2, 4)):
    return {"errors": errors, "severities": severities, "clean_error": 0.1}


@pytest.mark.parametrize(
    "name, title",
    [("", "error in % (clean: 10)"), ("net", "net\nerror in % (clean: 10)")],
)
def test_errors_and_their_means(name, title, tmp_path):
    figure = corruptions({name: report()})
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.images[0].get_array(), CELLS)
    assert axes.images[0].get_clim() == (0, 1)
    texts = [text.get_text() for text in axes.texts]
    assert texts == [f"{100 * cell:.0f}" for row in CELLS for cell in row]
    ticks = [t.get_text() for t in axes.get_xticklabels()]
    assert ticks == ["2", "4", "mean"]
    rows = [t.get_text() for t in axes.get_yticklabels()]
    assert rows == ["fog", "snow", "mean"]
    assert axes.get_title() == title
    figure.savefig(tmp_path / "errors.png")
    assert (tmp_path / "errors.png").read_bytes()[1:4] == b"PNG"


def test_models_side_by_side():
    other = {"fog": [0.0, 1.0], "snow": [0.5, 0.5]}
    figure = corruptions({"plain": report(), "robust": report(other)})
    first, second = figure.axes
    assert first.get_title().startswith("plain")
    assert second.get_title().startswith("robust")
    assert second.images[0].get_array()[0].tolist() == [0, 1, 0.5]


def test_light_text_on_dark_cells():
    (axes,) = corruptions({"": report({"fog": [0.0, 1.0]})}).axes
    assert [text.get_color() for text in axes.texts[:2]] == ["black", "white"]


def test_models_of_other_corruptions_or_severities_are_refused():
    for other in (report({"snow": [0.1, 0.2]}), report(severities=(1, 2))):
        with pytest.raises(ValueError, match=r"the same corruptions.*'b' with"):
            corruptions({"a": report(), "b": other})
