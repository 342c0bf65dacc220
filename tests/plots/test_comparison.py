import pytest
from matplotlib import colors

from keras_fewlabels.plots import comparison
from keras_fewlabels.plots.figure import RIGHT

SEEDS = {"labels only": [0.40, 0.46], "noisy student": 0.75, "other": 0.5}


def bars_of(axes):
    return [bar for bar in axes.patches if bar.get_height() > 0]


def whiskers_of(axes):
    return [
        [x for x, _ in segment]
        for lines in axes.collections
        for segment in lines.get_segments()
    ]


def test_a_bar_per_name_from_the_top_with_its_number(tmp_path):
    figure = comparison(SEEDS, title="test accuracy")
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "test accuracy"
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["labels only", "noisy student", "other"]
    assert axes.yaxis_inverted()
    widths = [bar.get_width() for bar in bars_of(axes)]
    assert widths == pytest.approx([0.43, 0.75, 0.5])
    assert [bar.get_x() for bar in bars_of(axes)] == [0, 0, 0]
    # 4.2 with ddof=1; with ddof=0 it would be 3.0.
    assert [text.get_text() for text in axes.texts] == [
        *("43.0 ± 4.2 %", "75.0 %", "50.0 %")
    ]
    figure.savefig(tmp_path / "bars.png")
    assert (tmp_path / "bars.png").read_bytes()[1:4] == b"PNG"


def test_whiskers_are_one_standard_deviation_where_there_are_several_seeds():
    (axes,) = comparison(SEEDS).axes
    (whisker,) = whiskers_of(axes)
    deviation = 0.06 / 2**0.5
    assert whisker == pytest.approx([0.43 - deviation, 0.43 + deviation])
    # The number stands beyond the whisker.
    assert axes.texts[0].xy[0] == pytest.approx(0.43 + deviation)


def test_one_seed_in_a_list_has_no_spread():
    (axes,) = comparison({"a": [0.5], "b": [0.25]}).axes
    assert [text.get_text() for text in axes.texts] == ["50.0 %", "25.0 %"]
    assert whiskers_of(axes) == []


def test_only_the_best_is_highlighted():
    (axes,) = comparison(SEEDS).axes
    found = [bar.get_facecolor() for bar in bars_of(axes)]
    assert found[1] == colors.to_rgba(RIGHT)
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize(
    "accuracies",
    [
        {"a name that is so long that it needs two lines": [0.95, 1.0, 1.0]},
        {"nothing": 0.0},
        {"hardly anything": [0.01, 0.03]},
    ],
)
def test_no_text_is_cut_off(accuracies):
    figure = comparison(accuracies, title="accuracy")
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    (axes,) = figure.axes
    for text in (*axes.texts, *axes.get_yticklabels()):
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= width and box.y1 <= height


def test_wrong_accuracies():
    with pytest.raises(ValueError, match=r"percentages.*accuracies\['a'\]=56"):
        comparison({"a": 56})
    with pytest.raises(ValueError, match=r"at least one.*accuracies=\{\}"):
        comparison({})
    with pytest.raises(ValueError, match=r"one number.*accuracies\['a'\]=\[\]"):
        comparison({"a": []})
