import json

import pytest

from keras_fewlabels.evaluation.corruptions.corruption_report import (
    ALEXNET_ERRORS,
    CorruptionReport,
    baseline_errors,
)

ERRORS = {"fog": (0.25, 0.5), "snow": (0.5, 0.75), "spatter": (1, 1)}


def test_extra_corruptions_count_where_there_is_no_other():
    report = CorruptionReport(0.125, ERRORS, (1, 5))
    assert report.mean_errors == {"fog": 0.375, "snow": 0.625, "spatter": 1}
    assert report.mean_corruption_error == 0.5
    extra = CorruptionReport(0.125, {"spatter": (1, 0.5)}, (1, 5))
    assert extra.mean_corruption_error == 0.75


def test_ratio_is_the_mean_of_ratios():
    baseline = {"fog": 0.75, "snow": 0.5, "spatter": 0.5}
    report = CorruptionReport(0.125, ERRORS, (1, 5), baseline)
    # Of means it would be (0.375 + 0.625) / (0.75 + 0.5).
    assert report.baseline_ratio == (0.375 / 0.75 + 0.625 / 0.5) / 2
    assert CorruptionReport(0.1, ERRORS, (1, 5)).baseline_ratio is None


def test_alexnet_itself_has_an_mce_of_one_hundred_percent():
    errors = {name: 5 * [error] for name, error in ALEXNET_ERRORS.items()}
    report = CorruptionReport(0.4348, errors, baseline=ALEXNET_ERRORS)
    assert report.baseline_ratio == pytest.approx(1)
    assert report.mean_corruption_error == pytest.approx(0.788993, abs=1e-6)


def test_dict_survives_json():
    report = CorruptionReport(0.125, ERRORS, (1, 5))
    assert json.loads(json.dumps(report.to_dict())) == {
        "clean_error": 0.125,
        "mean_corruption_error": 0.5,
        "baseline_ratio": None,
        "severities": [1, 5],
        "errors": {name: list(row) for name, row in ERRORS.items()},
        "in_mean": ["fog", "snow"],
    }


def test_means_are_of_the_corruptions_of_the_benchmark():
    errors = {**ERRORS, "mine": (1.0, 1.0)}
    report = CorruptionReport(0.125, errors, (1, 5))
    means = CorruptionReport(0.125, ERRORS, (1, 5)).figure().axes[0].texts[-3:]
    shown = report.figure().axes[0].texts
    assert [text.get_text() for text in shown[-3:]] == [
        text.get_text() for text in means
    ]
    assert [text.get_text() for text in shown[-6:-3]] == ["100"] * 3


def test_errors_of_alexnet_are_those_of_the_paper():
    # Table 2 of Hendrycks and Dietterich, 2019, in percent.
    published = {
        "gaussian_noise": 88.6, "shot_noise": 89.4, "impulse_noise": 92.3,
        "defocus_blur": 82.0, "glass_blur": 82.6, "motion_blur": 78.6,
        "zoom_blur": 79.8, "snow": 86.7, "frost": 82.7, "fog": 81.9,
        "brightness": 56.5, "contrast": 85.3, "elastic_transform": 64.6,
        "pixelate": 71.8, "jpeg_compression": 60.7,
    }  # fmt: skip
    assert list(ALEXNET_ERRORS) == list(published)
    for name, percent in published.items():
        assert 100 * ALEXNET_ERRORS[name] == pytest.approx(percent, abs=0.051)


def test_figure_of_one_model_and_beside_others():
    report = CorruptionReport(0.125, ERRORS, (1, 5))
    (axes,) = report.figure().axes
    assert axes.get_title() == "error in % (clean: 12)"
    assert axes.images[0].get_array()[0].tolist() == [0.25, 0.5, 0.375]
    other = CorruptionReport(0.5, ERRORS, (1, 5))
    titles = [
        axes.get_title()
        for axes in report.figure(others={"teacher": other}).axes
    ]
    assert titles == [
        "this model\nerror in % (clean: 12)",
        "teacher\nerror in % (clean: 50)",
    ]


def test_saved_as_json_and_figure(tmp_path):
    report = CorruptionReport(0.125, ERRORS, (1, 5))
    report.save(tmp_path / "new")
    text = (tmp_path / "new" / "corruptions.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(report.to_dict()))
    picture = (tmp_path / "new" / "corruptions.png").read_bytes()
    assert picture[1:4] == b"PNG"


def test_table():
    report = CorruptionReport(0.125, ERRORS, (1, 5))
    assert [line.split() for line in str(report).splitlines()] == [
        ["error", "in", "%", "1", "5", "mean"],
        ["fog", "25.0", "50.0", "37.5"],
        ["snow", "50.0", "75.0", "62.5"],
        ["spatter", "100.0", "100.0", "100.0"],
        ["mean", "37.5", "62.5", "50.0"],
        ["clean", "12.5"],
    ]
    assert len({len(line) for line in str(report).splitlines()}) == 1


ALL = (1, 2, 3, 4, 5)
REPORT = CorruptionReport(0, {"fog": (0.5, 0.25), "snow": (0, 0)}, (2, 5))


def test_means_of_each_kind_of_baseline():
    assert baseline_errors(None, ["fog"], ALL) is None
    assert baseline_errors(REPORT, ["fog"], [5, 2]) == {"fog": 0.375}
    assert baseline_errors("alexnet", ["snow", "fog"], ALL) == {
        "snow": 0.866816,
        "fog": 0.819324,
    }


@pytest.mark.parametrize(
    "baseline, names, severities, message",
    [
        (REPORT, ["fog"], (1, 2), r"means over severities \(2, 5\).*=\(1, 2\)"),
        (
            "alexnet",
            ["fog"],
            (1, 2, 3, 4),
            r"severities \(1, 2, 3, 4, 5\)",
        ),
        ("alexnet", ["fog", "spatter"], ALL, r"no error for \['spatter'\]"),
        (REPORT, ["fog", "snow"], (2, 5), r"above 0 under each.*\['snow'\]"),
        ([0.5], ["fog"], ALL, r"'alexnet'. Received: baseline=\[0.5\]"),
        ("resnet", ["fog"], ALL, r"'alexnet'. Received: baseline='resnet'"),
    ],
)
def test_wrong_baselines(baseline, names, severities, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        baseline_errors(baseline, names, severities)
