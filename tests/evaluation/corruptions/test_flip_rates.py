import json

from keras_fewlabels.evaluation.corruptions.flip_rates import FlipRates

FLIPS = FlipRates({"rotate": 0.25, "tilt": 0.125})


def test_mean_and_table():
    assert FLIPS.mean == 0.1875
    assert [line.split() for line in str(FLIPS).splitlines()] == [
        ["perturbation", "flips", "in", "%"],
        ["rotate", "25.0"],
        ["tilt", "12.5"],
        ["mean", "18.8"],
    ]


def test_saved_as_json_and_figure(tmp_path):
    FLIPS.save(tmp_path)
    assert json.loads((tmp_path / "flip_rates.json").read_text()) == {
        "mean": 0.1875,
        "rates": {"rotate": 0.25, "tilt": 0.125},
    }
    assert (tmp_path / "flip_rates.png").read_bytes()[1:4] == b"PNG"


def test_figure_has_a_bar_per_perturbation():
    (axes,) = FLIPS.figure().axes
    assert [bar.get_width() for bar in axes.patches] == [25, 12.5]
