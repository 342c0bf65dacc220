import numpy as np
import pytest

from keras_fewlabels.evaluation.corruptions.kernels.blur import smoothed
from keras_fewlabels.evaluation.corruptions.kernels.spatter import spatter

GREY = np.full((30, 32, 32, 3), 0.4, "float32")


@pytest.mark.parametrize(
    "severity, constants",
    [(4, (0.65, 0.1, 0.7, 0.69, 0.6)), (5, (0.65, 0.1, 0.5, 0.68, 0.6))],
)
def test_mud_covers_where_the_layer_is_thick(severity, constants, generators):
    mean, deviation, sigma, threshold, blur = constants
    drawn = [
        each.standard_normal((32, 32), "float32") for each in generators(30)
    ]
    layer = smoothed(mean + deviation * np.stack(drawn), sigma)
    cover = smoothed((layer >= threshold).astype(float), blur)[..., None]
    cover[cover < 0.8] = 0
    mud = np.array([63, 42, 20]) / 255
    np.testing.assert_allclose(
        spatter(GREY, severity, generators(30)),
        GREY * (1 - cover) + mud * cover,
        atol=1e-5,
    )
    assert 0.02 < (cover > 0).mean() < 0.2


@pytest.mark.parametrize("severity, most", [(1, 0.05), (2, 0.12), (3, 0.6)])
def test_water_adds_turquoise_in_drops(severity, most, generators):
    added = spatter(GREY, severity, generators(30)) - GREY
    wet = added[..., 0] > 1e-3
    assert 0 < wet.mean() < most
    shares = added[wet] / added[wet][:, 1:2]
    np.testing.assert_allclose(
        shares, np.full_like(shares, 1) * [175 / 238, 1, 1], atol=1e-2
    )
    # The brightest spot of a drop is as strong as published.
    assert added[..., 1].max() == pytest.approx(0.5 * 238 / 255, rel=1e-3)


def test_image_without_a_drop_stays_as_it_is():
    class Dry:
        def standard_normal(self, shape, dtype):
            return np.zeros(shape, dtype)

    np.testing.assert_array_equal(spatter(GREY[:1], 1, [Dry()]), GREY[:1])


def test_grey_images_get_grey_drops(generators):
    for severity in (2, 4):
        output = spatter(GREY[..., :1], severity, generators(30))
        assert output.shape == (30, 32, 32, 1)
        assert (output != GREY[..., :1]).any()
