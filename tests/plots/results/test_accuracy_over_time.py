import numpy as np
import pytest

from keras_fewlabels.plots.results.accuracy_over_time import accuracy_over_time

NAMES = ["linear probe", "self-training", "fine-tuning"]
MEASURES = {
    "cross-validation": [(0.7, 0.5, 0.8), (0.75, 0.6, 0.85), None],
    "test": [(0.6, 0.55, 0.65), (0.65, 0.6, 0.7), (0.9, 0.875, 0.92)],
}


def drawn(seconds=(20, 30, 120), **options):
    return accuracy_over_time(NAMES, list(seconds), MEASURES, **options)


def test_points_lie_at_their_times_with_their_intervals(tmp_path):
    figure = drawn()
    (axes,) = figure.axes
    cross, test = axes.containers
    points = [[20, 70], [30, 75]]
    np.testing.assert_allclose(cross.lines[0].get_xydata(), points)
    points = [[20, 60], [30, 65], [120, 90]]
    np.testing.assert_allclose(test.lines[0].get_xydata(), points)
    (bars,) = test.lines[2]
    ends = [segment[:, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, [[55, 65], [60, 70], [87.5, 92]])
    # The time starts with the run, and all intervals are seen.
    assert axes.get_xlim()[0] == 0
    low, high = axes.get_ylim()
    assert low < 50 and high > 92
    figure.savefig(tmp_path / "time.png")
    assert (tmp_path / "time.png").read_bytes()[1:4] == b"PNG"


def test_what_has_no_interval_has_no_bar():
    points = {"test": [(0.5,), None, (0.7,)]}
    figure = accuracy_over_time(NAMES, [1, 2, 3], points, measured="recall")
    (axes,) = figure.axes
    assert axes.get_ylabel() == "recall in %"
    (test,) = axes.containers
    np.testing.assert_allclose(test.lines[0].get_xydata(), [[1, 50], [3, 70]])
    assert test.lines[2] == ()
    low, high = axes.get_ylim()
    assert low < 50 and high > 70


def test_levels_are_lines_after_the_measures():
    figure = drawn(levels={"baseline": 0.25})
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["cross-validation", "test", "baseline"]
    (level,) = (
        line for line in figure.axes[0].lines if line.get_label() == "baseline"
    )
    assert level.get_ydata() == [25, 25]
    assert figure.axes[0].get_ylim()[0] < 25


@pytest.mark.parametrize(
    "last, unit, place",
    [(299, "seconds", 299), (600, "minutes", 10), (18_000, "hours", 5)],
)
def test_times_are_in_a_unit_that_can_be_read(last, unit, place):
    (axes,) = drawn((20, 30, last)).axes
    assert axes.get_xlabel() == f"{unit} since the start"
    line = axes.containers[1].lines[0]
    assert line.get_xdata()[-1] == pytest.approx(place)


def places_of(figure):
    return {
        text.get_text(): text.get_position()[0] for text in figure.axes[0].texts
    }


@pytest.mark.parametrize("seconds", [(1, 1.1, 100), (100, 100.1, 100.2)])
def test_names_of_phases_stand_apart_and_inside(seconds):
    places = places_of(drawn(seconds))
    assert list(places) == NAMES
    assert min(np.diff(list(places.values()))) > 0.0699
    assert max(places.values()) <= 1


def test_of_many_phases_some_have_a_name_the_last_one_too():
    names = [f"student {number}" for number in range(30)]
    points = {"test": [(0.5, 0.4, 0.6)] * 30}
    places = places_of(accuracy_over_time(names, range(1, 31), points))
    assert len(places) == 10 and list(places)[-1] == "student 29"
    assert min(places.values()) >= 0


def test_a_name_is_no_mathematics():
    points = {"test": [(0.5, 0.4, 0.6)] * 2}
    figure = accuracy_over_time(["$x", "a_b$"], [1, 2], points)
    assert not any(text.get_parse_math() for text in figure.axes[0].texts)
