import pytest
from matplotlib import colors

from keras_fewlabels.plots.figure import RIGHT, WRONG
from keras_fewlabels.plots.results.waterfall import waterfall

STEPS = {"labels only": 0.5, "+ images": 0.75, "+ noise": 0.7}


def test_bars_float_from_the_accuracy_before_to_their_own(tmp_path):
    figure = waterfall(STEPS)
    (axes,) = figure.axes
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == list(STEPS)
    assert axes.yaxis_inverted()
    gain, loss = axes.patches
    assert (gain.get_x(), gain.get_width()) == pytest.approx((50, 25))
    # A bar to the left starts at the right.
    assert (loss.get_x(), loss.get_width()) == pytest.approx((75, -5))
    assert gain.get_facecolor() == colors.to_rgba(RIGHT)
    assert loss.get_facecolor() == colors.to_rgba(WRONG)
    assert axes.lines[0].get_xydata().tolist() == [[50, 0]]
    figure.savefig(tmp_path / "steps.png")
    assert (tmp_path / "steps.png").read_bytes()[1:4] == b"PNG"


def test_texts_give_the_change_and_what_it_comes_to_beyond_the_bar():
    (axes,) = waterfall(STEPS).axes
    assert [text.get_text() for text in axes.texts] == [
        *("50.0 %", "+25.0 (75.0 %)", "-5.0 (70.0 %)")
    ]
    assert [text.xy for text in axes.texts] == [(50, 0), (75, 1), (75, 2)]


def test_the_axis_names_what_was_measured():
    (axes,) = waterfall(STEPS).axes
    assert axes.get_xlabel() == "accuracy in %"
    (axes,) = waterfall(STEPS, measured="recall").axes
    assert axes.get_xlabel() == "recall in %"


def test_unchanged_accuracy_is_a_gain_of_zero():
    (axes,) = waterfall({"a": 0.5, "b": 0.5 - 1e-5}).axes
    assert axes.texts[1].get_text() == "+0.0 (50.0 %)"
    low, high = axes.get_xlim()
    # The scale does not blow up what is nothing.
    assert high - low > 0.8


def test_no_tick_beyond_100_percent():
    (axes,) = waterfall({"a": 0.3, "b": 1.0}).axes
    low, high = axes.get_xlim()
    assert high > 100
    assert low <= min(axes.get_xticks()) < max(axes.get_xticks()) == 100


def test_no_text_is_cut_off():
    steps = {"a name that is so long that it needs two lines": 0.1, "b": 1.0}
    figure = waterfall(steps)
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    (axes,) = figure.axes
    for text in (*axes.texts, *axes.get_yticklabels()):
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= width and box.y1 <= height


@pytest.mark.parametrize(
    "steps, message",
    [
        ({}, "`steps` must be a dict.*steps={}"),
        ({"a": 0.5}, "two or more steps.*steps={'a': 0.5}"),
        ({"a": 0.5, "b": [0.5, 0.6]}, "one accuracy each.*`plots.comparison`"),
        ({"a": 0.5, "b": 61}, r"divide percentages by 100.*steps\['b'\]=61"),
        ({"a": 0.5, "b": "c"}, r"must be a number.*steps\['b'\]='c'"),
    ],
)
def test_wrong_steps(steps, message):
    with pytest.raises(ValueError, match=message):
        waterfall(steps)
