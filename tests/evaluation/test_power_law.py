import numpy as np
import pytest

from keras_fewlabels.evaluation.power_law import fit_power_laws, power_law

SIZES = [10, 20, 40, 80]


@pytest.mark.parametrize(
    "limit, slope, exponent", [(0.125, 2, 0.5), (0, 1.5, 1), (0.25, 0, 0.7)]
)
def test_curve_that_is_a_power_law_is_found(limit, slope, exponent):
    sizes = np.array([*SIZES, 500.0])
    errors = limit + slope * sizes**-exponent
    laws = fit_power_laws(SIZES, errors[None, :4])
    np.testing.assert_allclose(power_law(sizes, *laws), [errors], atol=1e-9)


def test_each_curve_is_fitted_for_itself():
    errors = np.random.default_rng(0).random((6, 4))
    laws = fit_power_laws(SIZES, errors)
    for number in range(6):
        alone = fit_power_laws(SIZES, errors[number : number + 1])
        np.testing.assert_allclose(
            [part[number] for part in laws], np.ravel(alone)
        )


def test_nothing_is_negative_and_no_curve_rises():
    rising, steep = [0.1, 0.2, 0.3, 0.4], [1.0, 0.1, 0.0, 0.0]
    limits, slopes, _ = fit_power_laws(SIZES, np.array([rising, steep]))
    assert slopes[0] == 0 and limits[0] == pytest.approx(0.25)
    assert limits[1] == 0 and slopes[1] > 0


def test_one_size_is_its_own_curve():
    laws = fit_power_laws([10], np.array([[0.3]]))
    np.testing.assert_allclose(power_law([10, 90], *laws), [[0.3, 0.3]])
