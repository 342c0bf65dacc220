import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.frost import frost


@pytest.mark.parametrize(
    "side, severity, keep, cover",
    [(32, 1, 1, 0.2), (32, 5, 0.75, 0.45), (224, 3, 0.7, 0.7)],
)
def test_ice_has_the_look_of_the_photographs(
    side, severity, keep, cover, generators
):
    black = np.zeros((24, side, side, 3), "float32")
    white = np.ones((24, side, side, 3), "float32")
    ice = frost(black, severity, generators(24)) / cover
    np.testing.assert_allclose(
        frost(white, severity, generators(24)), keep + cover * ice, atol=1e-5
    )
    # Of the benchmark's five: levels from 0.48 to 0.81, deviations within a
    # crop from 0.07 to 0.13, and more blue than red.
    levels = ice.mean(axis=(1, 2, 3))
    assert levels.min() > 0.4
    assert levels.max() < 0.85
    assert levels.std() > 0.05
    assert 0.07 < ice.std(axis=(1, 2)).mean() < 0.13
    assert (ice[..., 2].mean(axis=(1, 2)) > ice[..., 0].mean(axis=(1, 2))).all()


def test_each_image_has_its_own_ice(generators):
    black = np.zeros((8, 32, 32, 1), "float32")
    ice = frost(black, 3, generators(8)).reshape(8, -1)
    assert np.abs(np.corrcoef(ice) - np.eye(8)).max() < 0.5
