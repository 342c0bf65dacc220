import pytest

from keras_fewlabels.loops import report_text


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


def test_data_line_leaves_out_what_is_not_known():
    data = {
        "num_labeled": 4500,
        "num_validation": 0,
        "num_unlabeled": 20000,
        "num_test": None,
        "num_classes": 10,
    }
    assert report_text.data_line(data) == (
        "images: 4,500 labelled, 0 validation, 20,000 unlabelled; 10 classes"
    )


def test_phase_name_has_the_generation_after_that_of_the_teacher():
    name = report_text.phase_name
    assert name({"name": "supervised", "generation": 0}) == "supervised"
    assert name({"name": "student", "generation": 2}) == "student 2"


def test_result_shows_how_many_images_are_behind_it():
    assert report_text.result(part(test=0.6049), "test") == "60.5 % of 5,000"
    assert report_text.result(part(test=0.0), "test") == "0.0 % of 5,000"
    assert report_text.result(part(test=0.6), "validation") == ""


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
