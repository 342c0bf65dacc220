import numpy as np
import pytest
from keras import ops

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.rand_augment.draws import uniform_per_image


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


def draw(seed, batch_size=2000, num_draws=8):
    draws = uniform_per_image(np.array(seed), batch_size, num_draws)
    return ops.convert_to_numpy(draws)


def test_numbers_are_spread_evenly():
    counts = np.histogram(draw([3, 1]), bins=50, range=(0, 1))[0]
    expected = counts.sum() / 50
    # 99.9 % of chi-square with 49 degrees of freedom lies below 85.4.
    assert ((counts - expected) ** 2 / expected).sum() < 85.4


def test_neighbours_are_independent():
    draws = draw([3, 1])
    correlation = np.corrcoef(draws.T) - np.eye(8)
    assert np.abs(correlation).max() < 0.1
    assert abs(np.corrcoef(draws[1:, 0], draws[:-1, 0])[0, 1]) < 0.1


@pytest.mark.parametrize("other", [[4, 1], [3, 2], [2, 1]])
def test_seed_and_call_change_every_number(other):
    assert (draw([3, 1]) == draw(other)).mean() < 1e-3


def test_draws_do_not_depend_on_the_batch_size():
    np.testing.assert_array_equal(draw([3, 1], 10), draw([3, 1], 20)[:10])


def test_no_two_images_of_many_calls_draw_the_same():
    draws = np.concatenate([draw([3, call], 500, 2) for call in range(100)])
    assert len(np.unique(draws, axis=0)) == len(draws)
