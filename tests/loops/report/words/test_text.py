import pytest

from keras_fewlabels.loops.report.words import text as report_text


def part(name="part", validation=None, test=None):
    """Accuracies on 500 validation and 5,000 test images."""
    results = {
        "validation": {"accuracy": validation, "num_images": 500},
        "test": {"accuracy": test, "num_images": 5000},
    }
    return {"name": name} | {
        split: each if each["accuracy"] is not None else None
        for split, each in results.items()
    }


@pytest.mark.parametrize(
    "phases, baseline, text",
    [
        ([part()], None, "No accuracy was measured"),
        ([part(test=0.5), part()], None, "No accuracy was measured"),
        ([part(validation=0.8213)], None, "82.1 % on 500 validation images"),
        (
            [part(validation=0.7), part(validation=0.8, test=0.7906)],
            part(validation=0.75, test=0.753),
            "79.1 % on 5,000 test images; labels alone 75.3 %",
        ),
        (
            [part(test=0.7), part(test=0.8)],
            None,
            "80.0 % on 5,000 test images; supervised phase 70.0 %",
        ),
        # What was measured on other images is no comparison.
        (
            [part(validation=0.7), part(validation=0.8, test=0.75)],
            None,
            "75.0 % on 5,000 test images",
        ),
    ],
)
def test_headline(phases, baseline, text):
    details = {"phases": phases, "baseline": baseline}
    assert report_text.headline(details) == text


def ranked(validation=None, test=None, **more):
    """Mean average precisions, and the accuracy of decisions of 0.9."""
    found = part(validation=validation, test=test)
    for each in filter(None, (found["validation"], found["test"])):
        each |= {"accuracy": 0.9, "mean_average_precision": each["accuracy"]}
    return {**found, **more}


SEVERAL = {"num_classes": 4, "several_labels": True}


def test_headline_of_several_labels_ranks_them():
    phases = [ranked(test=0.5), ranked(test=0.6049)]
    details = {"data": SEVERAL, "phases": phases}
    headline = "mAP 60.5 % on 5,000 test images"
    assert report_text.headline(details) == (
        f"{headline}; supervised phase 50.0 %"
    )
    details |= {"baseline": ranked(test=0.55), "linear_probe": ranked(test=0.7)}
    assert report_text.headline(details) == (
        f"{headline}; labels alone 55.0 %; linear probe 70.0 %"
    )
    details = {"data": SEVERAL, "phases": [part(test=0.5)]}
    assert report_text.headline(details) == (
        "No mean average precision was measured"
    )


def test_a_cross_validation_of_several_labels_ranks_them():
    measured = {"accuracy": 0.9, "num_images": 40}
    phase = {"name": "linear probe", "cross_validation": measured}
    assert report_text.cross_validated(phase) == (
        "90.0 % (77-96) of 40 labels by cross-validation"
    )
    measured["mean_average_precision"] = 0.75
    text = "mAP 75.0 % on 40 labelled images by cross-validation"
    assert report_text.cross_validated(phase) == text
    details = {"data": SEVERAL, "phases": [phase]}
    assert report_text.headline(details) == f"{text} (linear probe)"


def test_data_line_leaves_out_what_is_not_known_or_none():
    data = {
        "num_labeled": 4500,
        "num_validation": 0,
        "num_unlabeled": 20000,
        "num_test": None,
        "num_classes": 10,
    }
    assert report_text.data_line(data) == (
        "images: 4,500 labelled, 20,000 unlabelled; 10 classes"
    )


def test_phase_name_has_the_generation_after_that_of_the_teacher():
    name = report_text.phase_name
    assert name({"name": "supervised", "generation": 0}) == "supervised"
    assert name({"name": "student", "generation": 2}) == "student 2"


def test_result_shows_how_many_images_are_behind_it():
    result = report_text.result
    assert result(part(test=0.6049), "test") == "60.5 % (59-62) of 5,000"
    assert result(part(test=0.0), "test") == "0.0 % (0-0) of 5,000"
    assert (
        result(part(validation=0.99), "validation") == "99.0 % (98-100) of 500"
    )
    assert result(part(test=0.6), "validation") == ""
    many = {"test": {"accuracy": 0.9, "num_images": 20_000}}
    assert result(many, "test") == "90.0 % (89.6-90.4) of 20,000"


def test_the_headline_has_the_linear_probe():
    details = {
        "phases": [part(test=0.2), part(test=0.317)],
        "baseline": part(test=0.204),
        "linear_probe": part(test=0.609),
    }
    assert report_text.headline(details) == (
        "31.7 % on 5,000 test images; labels alone 20.4 %; linear probe 60.9 %"
    )


def test_of_several_labels_the_headline_has_precisions():
    def ranked(precision):
        figures = {"accuracy": 0.99, "num_images": 5000}
        return {"test": {**figures, "mean_average_precision": precision}}

    details = {
        "phases": [{"name": "linear probe", **ranked(0.5)}, ranked(0.7)],
        "data": {"several_labels": True},
    }
    assert report_text.headline(details) == (
        "mAP 70.0 % on 5,000 test images; linear probe 50.0 %"
    )
    details |= {"baseline": ranked(0.6), "linear_probe": ranked(0.4)}
    assert report_text.headline(details) == (
        "mAP 70.0 % on 5,000 test images; labels alone 60.0 %; linear probe "
        "40.0 %"
    )
    hidden = {"name": "probe", "cross_validation": ranked(0.3)["test"]}
    assert report_text.headline({**details, "phases": [hidden]}) == (
        "mAP 30.0 % on 5,000 labelled images by cross-validation (probe)"
    )


def test_kept_phase_and_the_headline_that_tells_of_it():
    phases, baseline = [part(test=0.6), part(test=0.7)], part(test=0.75)
    details = {"phases": phases, "baseline": baseline}
    assert report_text.kept_phase(details) is phases[-1]
    details["verdict"] = {"kept": "baseline"}
    assert report_text.kept_phase(details) is baseline
    assert report_text.headline(details) == "75.0 % on 5,000 test images"


@pytest.mark.parametrize(
    "difference, text",
    [(0.064, "+6.4"), (-0.0126, "-1.3"), (-0.0001, "+0.0"), (0, "+0.0")],
)
def test_points(difference, text):
    assert report_text.points(difference) == text


@pytest.mark.parametrize(
    "seconds, text",
    [(0.4, "0:00"), (59.6, "1:00"), (754, "12:34"), (3725, "1:02:05")],
)
def test_duration(seconds, text):
    assert report_text.duration(seconds) == text


def test_without_other_images_the_labels_tell_the_accuracy():
    measured = {"accuracy": 0.75, "num_images": 40}
    phases = [
        {"name": "linear probe", "cross_validation": measured},
        {"name": "fine-tuning", "generation": 1},
    ]
    assert report_text.headline({"phases": phases}) == (
        "75.0 % (60-86) of 40 labels by cross-validation (linear probe); "
        "later phases were not measured"
    )
    assert (
        report_text.headline({"phases": phases[1:]})
        == "No accuracy was measured"
    )


def test_what_there_was_no_time_for_is_named():
    left_out = [{"name": "fine-tuning 1", "why": "no time"}]
    line = report_text.left_out_line({"left_out": left_out, "time_limit": 30.0})
    assert line == (
        "There was no time for fine-tuning 1; `time_limit` was 30 s."
    )
    assert report_text.left_out_line({}) == ""
    left_out.append({"name": "tuning 2", "why": "the run was interrupted"})
    details = {"left_out": left_out, "time_limit": 30.0}
    assert (
        report_text.left_out_line(details)
        == f"{line} Ctrl-C left out tuning 2."
    )
    # The run was killed, and went on without its limit.
    details = {"left_out": left_out[:1], "time_limit": None}
    line = report_text.left_out_line(details)
    assert line == "There was no time for fine-tuning 1."


def test_pool_line_counts_the_foreign_images():
    pool = {
        "num_images": 1200,
        "num_foreign": 300,
        "foreign_share": 0.24,
        "foreign_interval": [0.2, 0.31],
    }
    phases = [{"name": "linear probe"}, {"name": "self-training", "pool": pool}]
    assert report_text.pool_line({"phases": phases}) == (
        "About 24 % (20 to 31 %) of 1,200 unlabelled images look foreign; 300 "
        "of them were left out, and heads learned from 900."
    )
    assert report_text.pool_line({"phases": phases[:1]}) == ""
    unknown = {"pool": {**pool, "foreign_share": None}}
    assert report_text.pool_line({"phases": [unknown]}) == ""


def test_pool_line_says_plainly_that_nothing_is_foreign():
    pool = {"num_images": 1200, "num_foreign": 0, "foreign_share": 0.001}
    lines = [
        report_text.pool_line(
            {"phases": [{"pool": {**pool, "foreign_interval": [0.0, high]}}]}
        )
        for high in (0.02, 0.48)
    ]
    line = (
        "None of 1,200 unlabelled images was taken for foreign, so that heads "
        "learned from all"
    )
    assert lines[0] == f"{line}."
    assert lines[1] == f"{line}; the labels are too few to tell up to 48 %."


@pytest.mark.parametrize("validation", [None, {"accuracy": 0.5}])
def test_choice_line_names_the_head_and_what_was_not_compared(validation):
    choice = {"kept": "mean of both heads", "num_images": 40}
    phases = [{}, {"choice": {**choice, "gain": -0.02, "error": 0.03125}}]
    line = report_text.choice_line({"phases": phases})
    assert line == (
        "Kept after self-training: the mean of both heads. In the "
        "cross-validation, self-training made 40 hidden labels less likely, "
        "their log-likelihood changed by -0.020 on average (standard error "
        "0.031)."
    )
    several = {"phases": phases, "data": {"several_labels": True}}
    found = report_text.choice_line(several)
    assert "made the hidden labels of 40 images less likely" in found
    phases.append({"validation": validation})
    later = report_text.choice_line({"phases": phases})
    assert ("No label was left" in later) is (validation is None)
    assert report_text.choice_line({"phases": [{}]}) == ""


def test_undone_line_names_the_phases_that_were_not_kept():
    phases = [
        {"name": "linear probe"},
        {"name": "fine-tuning on labels", "kept": "the layers as they were"},
        {"name": "fine-tuning", "generation": 1, "kept": "the layers"},
    ]
    assert report_text.undone_line({"phases": phases}).endswith(
        "those of fine-tuning on labels, fine-tuning 1."
    )
    assert report_text.undone_line({"phases": phases[:1]}) == ""
