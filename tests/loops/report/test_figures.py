import numpy as np
import pytest

from keras_fewlabels.loops.report.figures import report_figures


def on(accuracy):
    return {"accuracy": accuracy, "num_images": 100}


def phase(name, generation, validation=None, test=None, history=None):
    return {
        "name": name,
        "generation": generation,
        "validation": validation,
        "test": test,
        "history": history,
    }


def drawn(phases, **more):
    figures = report_figures({"phases": phases, **more})
    return {name: figure for name, figure in figures.items() if figure}


def rows_of(figure):
    (axes,) = figure.axes
    names = [text.get_text() for text in axes.get_yticklabels()]
    texts = [text.get_text() for text in axes.texts]
    return dict(zip(names, texts, strict=True))


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def titles_of(figure):
    return [axes.get_title() for axes in figure.axes]


def test_all_names_are_there_and_none_without_data():
    assert report_figures({"phases": [phase("supervised", 0)]}) == {
        "accuracy_over_time": None,
        "comparison": None,
        "waterfall": None,
        "learning_curves": None,
        "pseudo_labels": None,
        "reliability": None,
        "confusion_matrix": None,
        "mistakes": None,
    }


def test_comparison_of_phases_and_baseline_on_the_same_images():
    phases = [
        phase("supervised", 0, on(0.5), on(0.4)),
        phase("student", 1, on(0.6), on(0.55)),
        phase("student", 2, on(0.7), on(0.65)),
    ]
    figure = drawn(phases)["comparison"]
    assert figure.axes[0].get_title(loc="left") == "test accuracy"
    assert rows_of(figure) == {
        "supervised": "40.0 %",
        "student 1": "55.0 %",
        "student 2": "65.0 %",
    }
    # The baseline was evaluated in validation only.
    figure = drawn(phases, baseline=phase("more labels", 0, on(0.52)))[
        "comparison"
    ]
    assert figure.axes[0].get_title(loc="left") == "validation accuracy"
    assert rows_of(figure)["baseline"] == "52.0 %"
    assert rows_of(figure)["student 2"] == "70.0 %"


def test_accuracy_over_time_takes_the_place_of_the_comparison():
    phases = [
        {**phase("linear probe", 0, test=on(0.5)), "seconds_since_start": 20},
        {**phase("fine-tuning", 1, test=on(0.7)), "seconds_since_start": 80},
    ]
    phases[0]["cross_validation"] = on(0.4)
    figures = drawn(phases, baseline=phase("alone", 0, test=on(0.6)))
    assert list(figures) == ["accuracy_over_time"]
    figure = figures["accuracy_over_time"]
    assert legend_of(figure) == [
        *("cross-validation", "test", "linear probe, test", "baseline, test")
    ]
    cross, test = (each.lines[0] for each in figure.axes[0].containers)
    assert cross.get_xydata() == pytest.approx(np.array([[20, 40]]))
    assert test.get_xydata() == pytest.approx(np.array([[20, 50], [80, 70]]))
    # Wilson, of 50 and 70 of 100 images.
    (bars,) = figure.axes[0].containers[1].lines[2]
    ends = np.array(bars.get_segments())[:, :, 1]
    expected = [[40.38, 59.62], [60.42, 78.11]]
    np.testing.assert_allclose(ends, expected, atol=0.01)


def ranked(precision):
    return {**on(0.9), "mean_average_precision": precision}


SEVERAL = {"num_classes": 4, "several_labels": True}


def test_of_several_labels_the_ranking_is_drawn_over_time():
    phases = [
        {**phase("supervised", 0, ranked(0.5)), "seconds_since_start": 20},
        {**phase("student", 1, ranked(0.7)), "seconds_since_start": 80},
    ]
    baseline = phase("alone", 0, ranked(0.6))
    figures = drawn(phases, data=SEVERAL, baseline=baseline)
    (axes,) = figures["accuracy_over_time"].axes
    assert axes.get_ylabel() == "mean average precision in %"
    (container,) = axes.containers
    points = container.lines[0].get_xydata()
    np.testing.assert_allclose(points, [[20, 50], [80, 70]])
    assert not container.has_yerr
    (level,) = (
        line for line in axes.lines if line.get_label().startswith("baseline")
    )
    np.testing.assert_allclose(level.get_ydata(), 60)


def test_of_several_labels_the_ranking_is_compared():
    phases = [phase("supervised", 0, ranked(0.5)), phase("b", 0, ranked(0.7))]
    steps = [
        {"name": "labels only", "validation": ranked(0.5)},
        {"name": "+ images", "validation": ranked(0.625)},
    ]
    figures = drawn(phases, data=SEVERAL, waterfall=steps)
    (axes,) = figures["comparison"].axes
    assert axes.get_title(loc="left") == "validation mean average precision"
    expected = {"supervised": "50.0 %", "b": "70.0 %"}
    assert rows_of(figures["comparison"]) == expected
    (axes,) = figures["waterfall"].axes
    assert axes.get_xlabel() == "mean average precision in %"
    expected = {"labels only": "50.0 %", "+ images": "+12.5 (62.5 %)"}
    assert rows_of(figures["waterfall"]) == expected


def test_levels_are_of_the_images_that_the_last_phase_was_measured_on():
    phases = [
        {**phase("supervised", 0, on(0.5)), "seconds_since_start": 20},
        {**phase("student", 1, on(0.7)), "seconds_since_start": 80},
    ]
    more = {"baseline": phase("alone", 0, on(0.65), on(0.6))}
    figure = drawn(phases, **more)["accuracy_over_time"]
    assert legend_of(figure) == ["validation", "baseline, validation"]
    # A probe on other images is no level.
    more["linear_probe"] = phase("linear probe", 0, test=on(0.4))
    figure = drawn(phases, **more)["accuracy_over_time"]
    assert legend_of(figure) == ["validation"]


def test_without_two_accuracies_of_a_kind_there_is_no_curve():
    phases = [
        {**phase("supervised", 0, on(0.5)), "seconds_since_start": 20},
        {**phase("student", 1, test=on(0.7)), "seconds_since_start": 80},
    ]
    assert drawn(phases) == {}
    # Nor without all times.
    phases = [phases[0], phase("student", 1, on(0.5))]
    assert list(drawn(phases)) == ["comparison"]


def test_reliability_has_the_share_of_each_bin_and_its_interval():
    bins = [
        {"num_images": 0, "num_right": 0, "confidence": None},
        {"num_images": 100, "num_right": 50, "confidence": 0.75},
    ]
    bins[0] |= {"low": 0.0, "high": 0.5}
    bins[1] |= {"low": 0.5, "high": 1.0}
    found = {"bins": bins, "expected_calibration_error": 0.25}
    examined = {"confusion": [[1]], "calibration": found}
    figure = drawn(
        [phase("supervised", 0)],
        examined=examined,
        data={"class_names": None},
    )["reliability"]
    (container,) = figure.axes[0].containers
    line, _, (bars,) = container.lines
    assert line.get_xydata().tolist() == [[75, 50]]
    ends = bars.get_segments()[0][:, 1]
    np.testing.assert_allclose(ends, [40.38, 59.62], atol=0.01)
    assert "25.0 points" in figure.axes[0].get_title(loc="left")


def test_one_phase_is_no_comparison():
    assert drawn([phase("supervised", 0, on(0.5))]) == {}


@pytest.mark.parametrize("last", [None, on(0.625)])
def test_waterfall_of_what_all_steps_have(last):
    steps = [
        {"name": "labels only", "validation": on(0.5), "test": None},
        {"name": "+ images", "validation": last, "test": on(0.75)},
    ]
    figures = drawn([phase("supervised", 0)], waterfall=steps)
    if last is None:
        assert figures == {}
    else:
        assert rows_of(figures["waterfall"]) == {
            "labels only": "50.0 %",
            "+ images": "+12.5 (62.5 %)",
        }


def test_curves_are_of_what_was_validated_one_colour_per_phase():
    history = {"loss": [2.0, 1.0], "accuracy": [0.5, 0.6], "rate": [0.1, 0.1]}
    validated = {**history, "val_loss": [2.5, None]}
    phases = [
        phase("supervised", 0, history=validated),
        phase("student", 1, history=history),
        phase("student", 2, history={}),
    ]
    baseline = phase("more labels", 0, history={"loss": [3.0], "empty": []})
    figure = drawn(phases, baseline=baseline)["learning_curves"]
    assert titles_of(figure) == ["loss"]
    assert legend_of(figure)[:3] == ["supervised", "student 1", "baseline"]
    # Without validation, what Keras always has.
    figure = drawn(phases[1:])["learning_curves"]
    assert titles_of(figure) == ["loss", "accuracy"]


def test_pseudo_labels_of_the_phases_that_had_some():
    history = {"loss": [1.0, 0.9], "mask_ratio": [0.5, 0.6], "other": [1, 2]}
    phases = [
        phase("supervised", 0, history={"loss": [2.0]}),
        phase("student", 1, history={**history, "confidence": [0.7, 0.8]}),
        phase("student", 2, history=history),
    ]
    figure = drawn(phases)["pseudo_labels"]
    assert titles_of(figure) == ["mask ratio", "confidence"]
    assert legend_of(figure)[:2] == ["student 1", "student 2"]


def test_mistakes_and_what_is_taken_for_what():
    mistake = {"index": 4, "true": 0, "predicted": 1, "confidence": 0.75}
    figures = drawn(
        [phase("supervised", 0)],
        data={
            "num_classes": 2,
            "class_names": ["cat", "dog"],
            "value_range": [0, 1],
        },
        examined={"confusion": [[3, 1], [0, 2]], "mistakes": [mistake]},
    )
    assert list(figures) == ["confusion_matrix"]
    (axes,) = figures["confusion_matrix"].axes
    assert [text.get_text() for text in axes.texts] == ["3", "1", "", "2"]
    figure = report_figures(
        {
            "phases": [phase("supervised", 0)],
            "data": {"num_classes": 2, "value_range": [0, 1]},
            "examined": {"confusion": [[3, 1], [0, 2]], "mistakes": [mistake]},
        },
        np.zeros((1, 4, 4, 1)),
    )["mistakes"]
    (text,) = figure.axes[0].texts
    assert text.get_text() == "0\nwrong: 1, 75 %"
