import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)

AT_32 = (1.06, 2, 3, 4, 5)
AT_64 = (1.5, 4, 6, 8, 9)
AT_224 = (3.01, 20, 30, 40, 50)


def images(height, width):
    return np.zeros((1, height, width, 3))


@pytest.mark.parametrize(
    "height, width, expected",
    [
        # Exactly, or ranges would gain or lose a step.
        (32, 32, 1.06),
        (64, 64, 1.5),
        (224, 224, 3.01),
        (500, 400, 3.01),
        (300, 32, 1.06),
        (64, 90, 1.5),
    ],
)
def test_published_sizes_by_the_shorter_side(height, width, expected):
    found = severity_constants(AT_32, AT_64, AT_224, 1, images(height, width))
    assert found == expected


@pytest.mark.parametrize(
    "side, expected",
    [
        (40, 1.06 + 8 / 32 * (1.5 - 1.06)),
        (80, 1.5 + 16 / 160 * (3.01 - 1.5)),
        (200, 1.5 + 136 / 160 * (3.01 - 1.5)),
    ],
)
def test_interpolated_in_between(side, expected):
    found = severity_constants(AT_32, AT_64, AT_224, 1, images(side, 300))
    assert found == pytest.approx(expected, abs=1e-12)


def test_each_severity_and_each_of_several_constants():
    for severity in range(1, 6):
        found = severity_constants(
            AT_32, AT_64, AT_224, severity, images(32, 32)
        )
        assert found == AT_32[severity - 1]
    pairs = [(1, 10)] * 5, [(2, 20)] * 5, [(3, 50)] * 5
    assert severity_constants(*pairs, 4, images(144, 144)) == [2.5, 35]
