import numpy as np
import pytest

from keras_fewlabels.policies.balance import top_share

CONFIDENCE = np.array([0.3, 0.9, 0.5, 0.9, 0.4])


@pytest.mark.parametrize(
    "share, marked",
    [(0.0, []), (0.2, [1]), (0.4, [1, 3]), (0.7, [1, 2, 3, 4]), (1, range(5))],
)
def test_marks_the_most_confident(share, marked):
    assert np.flatnonzero(top_share(CONFIDENCE, share)).tolist() == list(marked)
