import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from keras_fewlabels.evaluation.mean_average_precision import (
    mean_average_precision,
)


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_that_of_scikit_learn_also_with_equal_scores(digits):
    random = np.random.default_rng(digits)
    truth = random.random((200, 5)) < [0.02, 0.2, 0.5, 0.9, 1.0]
    scores = np.round(random.normal(size=truth.shape) + truth, digits)
    expected = average_precision_score(truth, scores, average="macro")
    found = mean_average_precision(scores, truth.astype("float32"))
    assert found == pytest.approx(expected)


def test_a_label_that_no_image_has_is_left_out():
    scores = np.array([[0.9, 0.3], [0.1, 0.8]])
    assert mean_average_precision(scores, [[1, 0], [0, 0]]) == 1.0
    assert mean_average_precision(scores, [[0, 0], [1, 0]]) == 0.5
    assert mean_average_precision(scores, np.zeros((2, 2))) is None
