import numpy as np
import pytest
from keras import ops

from keras_fewlabels.layers import RandAugment


def some_images(batch_size):
    generator = np.random.default_rng(0)
    shape = (batch_size, 12, 10, 3)
    return generator.integers(0, 256, shape, "uint8")


def flat_images(batch_size=4000, level=100):
    return np.full((batch_size, 1, 1, 1), level, "uint8")


def augment(layer, images, **kwargs):
    return ops.convert_to_numpy(layer(images, **kwargs))


def chi_square(counts, expected):
    return ((counts - expected) ** 2 / expected).sum()


def test_ops_and_signs_are_drawn_evenly():
    # A flat image tells brightness up, down, invert and identity apart. Unlike
    # shares, so that a swap of two ops or signs would not pass unseen.
    layer = RandAugment(
        num_ops=1,
        magnitude=5,
        ops=["brightness"] + ["invert"] * 2 + ["identity"] * 4,
        seed=1,
    )
    output = augment(layer, np.full((7000, 1, 1, 1), 100, "uint8"))[:, 0, 0, 0]
    levels, counts = np.unique(output, return_counts=True)
    np.testing.assert_array_equal(levels, [55, 100, 145, 155])
    # 99.9 % of chi-square with 3 degrees of freedom lies below 16.3.
    assert chi_square(counts, np.array([500, 4000, 500, 2000])) < 16.3


def test_slots_draw_independently_and_with_replacement():
    layer = RandAugment(2, 5, ops=["brightness", "identity"], seed=1)
    output = augment(layer, np.full((8000, 1, 1, 1), 100, "uint8"))[:, 0, 0, 0]
    levels, counts = np.unique(output, return_counts=True)
    # Twice down, once down, down and up or neither, once up, twice up.
    np.testing.assert_array_equal(levels, [30, 55, 79, 100, 145, 210])
    expected = np.array([500, 2000, 1000, 2000, 2000, 500])
    assert chi_square(counts, expected) < 20.5


def test_images_of_one_batch_get_different_ops():
    images = np.repeat(some_images(1), 200, axis=0)
    output = augment(RandAugment(seed=0), images)
    assert len(np.unique(output, axis=0)) > 50


def test_tutorial_draws_each_magnitude_below():
    layer = RandAugment(
        1, 10, ops=["brightness"], table="cifar10_tutorial", seed=0
    )
    output = augment(layer, flat_images(level=90))
    # Nine steps of three levels down, nine up, and none at magnitude 0.
    levels, counts = np.unique(output, return_counts=True)
    factors = 1 + 0.3 * np.arange(-9, 10) / 9
    assert np.abs(levels - 90 * factors).max() <= 1
    expected = np.where(levels == 90, 400, 200)
    # 99.9 % of chi-square with 18 degrees of freedom lies below 42.3.
    assert ((counts - expected) ** 2 / expected).sum() < 42.3


@pytest.mark.parametrize("magnitude, lowest", [(10, 0.05), (2.5, 0.725)])
def test_fixmatch_draws_magnitudes_of_all_sizes(magnitude, lowest):
    layer = RandAugment(
        1, magnitude, ops=["brightness"], table="fixmatch", seed=0
    )
    factors = augment(layer, flat_images(level=200)).ravel() / 200
    # Tenths of a magnitude, none of them the full one.
    assert len(np.unique(factors)) == 10 * magnitude
    assert factors.max() == pytest.approx(0.95, abs=0.005)
    assert factors.min() == pytest.approx(lowest + 0.009, abs=0.005)
    assert factors.mean() == pytest.approx((0.95 + lowest) / 2, abs=0.02)


def test_magnitude_std_spreads_the_strength_around_the_magnitude():
    layer = RandAugment(1, 5, ops=["solarize_add"], magnitude_std=2.0, seed=0)
    added = augment(layer, flat_images(level=0)).astype(float).ravel()
    # Cut off at 0, which the mean of 55 lies 2.5 standard deviations above.
    assert added.min() >= 0
    assert np.mean(added) == pytest.approx(55, abs=2)
    assert np.std(added) == pytest.approx(22, abs=1.5)
    assert len(np.unique(added)) > 60


def test_apply_probability_is_the_share_of_ops_applied():
    layer = RandAugment(1, ops=["invert"], apply_probability=0.3, seed=0)
    output = augment(layer, flat_images()).ravel()
    assert np.mean(output == 155) == pytest.approx(0.3, abs=0.03)
    assert np.isin(output, [100, 155]).all()
