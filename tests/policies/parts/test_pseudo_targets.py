import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies.parts.pseudo_targets import pseudo_targets

PROBABILITIES = np.array([[0.2, 0.7, 0.1], [0.4, 0.1, 0.5]], "float32")


@pytest.mark.parametrize(
    "soft, expected", [(True, PROBABILITIES), (False, np.eye(3)[[1, 2]])]
)
def test_targets(soft, expected):
    targets = pseudo_targets(ops.array(PROBABILITIES), soft)
    np.testing.assert_array_equal(ops.convert_to_numpy(targets), expected)
