import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)

AT_32 = (1.06, 2, 3, 4, 5)
AT_224 = (3.01, 20, 30, 40, 50)


def images(height, width):
    return np.zeros((1, height, width, 3))


@pytest.mark.parametrize(
    "height, width, expected",
    [
        (32, 32, 1.06),  # Exactly, or ranges would gain or lose a step.
        (224, 224, 3.01),
        (500, 400, 3.01),
        (300, 32, 1.06),
        (80, 300, 1.06 + (80 - 32) / (224 - 32) * (3.01 - 1.06)),
    ],
)
def test_shorter_side_decides(height, width, expected):
    found = severity_constants(AT_32, AT_224, 1, images(height, width))
    assert found == pytest.approx(expected, abs=0 if height != 80 else 1e-12)


def test_each_severity_and_each_of_several_constants():
    for severity in range(1, 6):
        found = severity_constants(AT_32, AT_224, severity, images(32, 32))
        assert found == AT_32[severity - 1]
    pairs = [(1, 10)] * 5, [(3, 50)] * 5
    assert severity_constants(*pairs, 4, images(128, 128)) == [2, 30]
