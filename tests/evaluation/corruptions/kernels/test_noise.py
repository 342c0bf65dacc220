import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels import noise

LEVEL = 0.4


def grey(side, level=LEVEL, number=8):
    return np.full((number, side, side, 3), level, "float32")


# Side, severity and the published deviation.
SCALES = [
    (32, 1, 0.04),
    (32, 4, 0.09),
    (32, 5, 0.10),
    (224, 1, 0.08),
    (224, 3, 0.18),
    (224, 5, 0.38),
]


@pytest.mark.parametrize("side, severity, scale", SCALES)
def test_gaussian_noise_has_the_published_deviation(
    side, severity, scale, generators
):
    noisy = noise.gaussian_noise(grey(side), severity, generators(8))
    assert noisy.mean() == pytest.approx(LEVEL, abs=0.004)
    assert noisy.std() == pytest.approx(scale, rel=0.03)
    # Each channel has noise of its own.
    assert abs(np.corrcoef(noisy[..., 0].flat, noisy[..., 1].flat)[0, 1]) < 0.04


@pytest.mark.parametrize(
    "side, severity, scale", [(32, 1, 0.06), (32, 5, 0.2), (224, 2, 0.2)]
)
@pytest.mark.parametrize("level", [0.2, 0.8])
def test_speckle_noise_grows_with_the_level(
    side, severity, scale, level, generators
):
    noisy = noise.speckle_noise(grey(side, level), severity, generators(8))
    assert noisy.mean() == pytest.approx(level, abs=0.005)
    assert noisy.std() == pytest.approx(scale * level, rel=0.03)


@pytest.mark.parametrize(
    "side, severity, photons", [(32, 1, 500), (32, 5, 50), (224, 4, 5)]
)
def test_shot_noise_counts_photons(side, severity, photons, generators):
    noisy = noise.shot_noise(grey(side), severity, generators(8))
    counts = noisy * photons
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-3)
    # The variance of a count is its mean.
    assert counts.mean() == pytest.approx(LEVEL * photons, rel=0.02)
    assert counts.var() == pytest.approx(LEVEL * photons, rel=0.05)


@pytest.mark.parametrize(
    "side, severity, share", [(32, 1, 0.01), (32, 5, 0.07), (224, 5, 0.27)]
)
def test_impulse_noise_is_as_often_black_as_white(
    side, severity, share, generators
):
    noisy = noise.impulse_noise(grey(side), severity, generators(8))
    values, counts = np.unique(noisy, return_counts=True)
    np.testing.assert_allclose(values, [0, LEVEL, 1])
    black, kept, white = counts / counts.sum()
    assert kept == pytest.approx(1 - share, abs=0.005)
    assert black == pytest.approx(share / 2, abs=0.003)
    assert white == pytest.approx(share / 2, abs=0.003)
