import numpy as np

from keras_fewlabels.plots.results.reliability import reliability

EMPTY = dict.fromkeys(("confidence", "accuracy", "interval"))
BINS = [
    {"low": 0.0, "high": 0.5, "num_images": 0, **EMPTY},
    {"low": 0.5, "high": 0.75, "num_images": 1200, "confidence": 0.6,
     "accuracy": 0.5, "interval": (0.4, 0.65)},
    {"low": 0.75, "high": 1.0, "num_images": 30, "confidence": 0.9,
     "accuracy": 1.0, "interval": (0.9, 1.0)},
]  # fmt: skip


def test_points_have_the_confidence_share_and_interval_of_their_bin(tmp_path):
    figure = reliability(BINS, 0.0432)
    upper, _ = figure.axes
    (container,) = upper.containers
    line, _, (bars,) = container.lines
    np.testing.assert_allclose(line.get_xydata(), [[60, 50], [90, 100]])
    ends = [segment[:, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, [[40, 65], [90, 100]])
    assert upper.get_title(loc="left") == (
        "expected calibration error: 4.3 points"
    )
    # A calibrated classifier lies on the diagonal.
    assert upper.lines[0].get_xydata().tolist() == [[0, 0], [100, 100]]
    figure.savefig(tmp_path / "bins.png")
    assert (tmp_path / "bins.png").read_bytes()[1:4] == b"PNG"


def test_bars_are_the_images_of_a_bin():
    _, lower = reliability(BINS, 0.0).axes
    assert [bar.get_height() for bar in lower.patches] == [0, 1200, 30]
    assert [bar.get_x() for bar in lower.patches] == [0, 50, 75]
    assert [bar.get_width() for bar in lower.patches] == [50, 25, 25]
    assert [text.get_text() for text in lower.texts] == ["1,200", "30"]


def test_what_is_counted_can_be_something_else():
    assert reliability(BINS, 0.0).axes[1].get_ylabel() == "images"
    lower = reliability(BINS, 0.0, "decisions").axes[1]
    assert lower.get_ylabel() == "decisions"
