import pytest
from scipy.stats import binomtest

from keras_fewlabels.evaluation import wilson_interval


@pytest.mark.parametrize(
    "num_right, num_images", [(0, 1), (1, 1), (45, 52), (52, 52), (3455, 5000)]
)
def test_agrees_with_scipy(num_right, num_images):
    expected = binomtest(num_right, num_images).proportion_ci(method="wilson")
    found = wilson_interval(num_right, num_images)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert all(0 <= bound <= 1 for bound in found)


@pytest.mark.parametrize("counts", [(3, 2), (-1, 2), (0, 0)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="`num_right` must be from 0 to"):
        wilson_interval(*counts)
