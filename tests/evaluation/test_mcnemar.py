import pytest
from scipy.stats import binomtest

from keras_fewlabels.evaluation.mcnemar import mcnemar


@pytest.mark.parametrize(
    "fixed, broken",
    [(0, 0), (1, 0), (3, 3), (2, 9), (9, 2), (40, 12), (700, 612)],
)
def test_is_a_binomial_test(fixed, broken):
    expected = 1.0
    if fixed + broken:
        expected = binomtest(fixed, fixed + broken).pvalue
    assert mcnemar(fixed, broken) == pytest.approx(expected)


def test_tiny_values_are_no_error():
    assert 0 <= mcnemar(3000, 0) < 1e-300
