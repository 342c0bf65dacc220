import numpy as np
import pytest

from keras_fewlabels.plots import label_price

OFFER = {"extra": 60, "error": 0.06, "gain": 0.04, "low": 0.01, "high": 0.08,
         "verdict": "gain"}  # fmt: skip
PRICE = {
    "num_labels": 50,
    "sizes": [10, 20, 40],
    "errors": [0.4, 0.25, 0.1],
    "curve": [None, 0.2, 0.1],
    "offers": [OFFER, {**OFFER, "extra": 90, "verdict": "cannot tell: why"}],
}


def test_bars_stand_where_more_labels_lead():
    (axes,) = label_price(PRICE).axes
    dots, line = axes.lines[:2]
    np.testing.assert_allclose(dots.get_ydata(), [40, 25, 10])
    np.testing.assert_allclose(line.get_xydata(), [[20, 20], [40, 10]])
    told, doubtful = axes.containers
    # Today's 10 %, less a gain of 1 to 8 points.
    (segment,) = told.lines[2][0].get_segments()
    np.testing.assert_allclose(segment, [[110, 2], [110, 9]])
    np.testing.assert_allclose(told.lines[0].get_xydata(), [[110, 6]])
    assert doubtful.lines[0].get_xdata() == [140]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["measured", "fitted curve", "with more labels",
                     "cannot tell"]  # fmt: skip


def test_what_is_no_price():
    for wrong in (None, {"sizes": [1]}):
        with pytest.raises(ValueError, match="must be what `price_of_a_label"):
            label_price(wrong)
