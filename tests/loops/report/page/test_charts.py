import json

import pytest

from keras_fewlabels.loops.report.page.charts import report_charts

RESULT = {"accuracy": 0.5, "num_images": 100}
HISTORY = {
    **{"loss": [2.0, 1.0, 0.5], "val_loss": [2.5, None]},
    **{"mask_ratio": [0.25], "other": []},
}


def details_of(*phases, **others):
    return {"data": {}, "phases": list(phases), **others}


def test_phases_over_time_have_intervals_names_and_levels():
    phases = [
        {"name": name, "seconds_since_start": time, "test": RESULT}
        for name, time in (("linear probe", 10), ("fine-tuning", 70))
    ]
    phases[0]["validation"] = {**RESULT, "accuracy": 0.25}
    (chart,) = report_charts(details_of(*phases))
    assert chart["picture"] == "accuracy_over_time" and chart["steps"]
    assert chart["stops"] == [
        [10, "linear probe, after 0:10"],
        [70, "fine-tuning, after 1:10"],
    ]
    series = {each["name"]: each for each in chart["series"]}
    first, last = series["validation"]["values"]
    # The Wilson interval of 25 of 100.
    assert first[0] == 25 and first[1] == "25.0 % (18-34)"
    assert first[2:] == pytest.approx([17.5, 34.3], abs=0.1)
    assert last is None
    level = series["linear probe, test"]
    assert level["dashed"]
    assert level["values"] == [[50.0, "50.0 %"]] * 2
    json.dumps(chart, allow_nan=False)


def test_of_several_labels_the_ranking_is_drawn_over_time():
    phases = [
        {
            **{"name": name, "seconds_since_start": time},
            "test": {**RESULT, "mean_average_precision": precision},
        }
        for name, time, precision in (("a", 10, 0.25), ("b", 70, 0.75))
    ]
    details = details_of(*phases)
    assert (
        report_charts(details)[0]["title"] == "Accuracy in % after each phase"
    )
    details["data"]["several_labels"] = True
    (chart,) = report_charts(details)
    assert chart["title"] == "Mean average precision in % after each phase"
    (series,) = chart["series"]
    assert series["values"] == [[25, "25.0 %"], [75, "75.0 %"]]


def test_curves_have_a_value_for_each_epoch_or_none():
    phase = {"name": "<supervised>", "history": HISTORY}
    loss, mask = report_charts(details_of(phase))
    assert (loss["title"], loss["picture"]) == ("loss", "learning_curves")
    assert [stop for stop, _ in loss["stops"]] == [1, 2, 3]
    assert loss["series"] == [
        {
            "name": "<supervised>",
            "color": 0,
            "dashed": False,
            "values": [[2.0, "2"], [1.0, "1"], [0.5, "0.5"]],
        },
        {
            "name": "<supervised>, validation",
            "color": 0,
            "dashed": True,
            "values": [[2.5, "2.5"], None, None],
        },
    ]
    assert (mask["title"], mask["picture"]) == ("mask ratio", "pseudo_labels")


def test_reliability_is_that_of_bins_with_images():
    bins = [
        {"num_images": 0, "num_right": 0, "confidence": None},
        {"num_images": 8, "num_right": 2, "confidence": 0.375},
        {"num_images": 4, "num_right": 3, "confidence": 0.875},
    ]
    examined = {"calibration": {"bins": bins}}
    (chart,) = report_charts(details_of({"name": "a"}, examined=examined))
    assert [x for x, _ in chart["stops"]] == [37.5, 87.5]
    right, diagonal = chart["series"]
    assert [value[0] for value in right["values"]] == [25, 75]
    assert right["values"][1][1] == "75.0 % (30-95) of 4 images"
    assert [value[0] for value in diagonal["values"]] == [37.5, 87.5]


def test_without_values_there_is_no_curve():
    assert report_charts(details_of({"name": "a", "history": None})) == []
