import numpy as np

from keras_fewlabels.plots.results.learning_rates import learning_rates

RATES = np.logspace(-5, 0, 6)
LOSSES = np.array([2.3, 2.2, 1.5, 1.1, 1.4, 80.0])


def test_curve_and_suggestion(tmp_path):
    figure = learning_rates(RATES, LOSSES, 1e-3)
    (axes,) = figure.axes
    curve, mark = axes.lines
    np.testing.assert_array_equal(curve.get_data(), (RATES, LOSSES))
    assert axes.get_xscale() == "log"
    assert set(mark.get_xdata()) == {1e-3}
    assert axes.get_title() == "steepest fall at 0.001"
    # What explodes is cut off, so that the rest can be seen.
    low, high = axes.get_ylim()
    assert low < 1.1 < 2.3 < high < 5
    figure.savefig(tmp_path / "rates.png")


def test_without_suggestion():
    (axes,) = learning_rates(RATES, LOSSES).axes
    assert len(axes.lines) == 1


def test_a_loss_that_is_not_finite_leaves_a_gap():
    for number in (0, 5):
        losses = np.where(np.arange(6) == number, np.nan, LOSSES)
        (axes,) = learning_rates(RATES, losses).axes
        low, high = axes.get_ylim()
        assert low < 1.1 < 2.2 < high < 5
