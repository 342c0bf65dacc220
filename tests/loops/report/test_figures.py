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
        "comparison": None,
        "waterfall": None,
        "learning_curves": None,
        "pseudo_labels": None,
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
