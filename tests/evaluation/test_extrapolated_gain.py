import itertools
import re

import numpy as np
import pytest

from keras_fewlabels.evaluation.extrapolated_gain import extrapolated_gains

SIZES = [10, 20, 30, 40, 60]


def simulated(limit, slope, num_images=400, orders=20, seed=0):
    """Images of which heads of each size get a share wrong by the law."""
    rng = np.random.default_rng(seed)
    errors = limit + slope / np.sqrt(SIZES)
    hardness = rng.random(num_images)
    luck = rng.normal(0, 0.02, (orders, len(SIZES), 1))
    return hardness < errors[None, :, None] + luck


def gains(wrong, extra=(60,), sizes=SIZES, seed=1):
    return extrapolated_gains(
        wrong, sizes, 60, list(extra), 0.9, 500, np.random.default_rng(seed)
    )


def true_gain(slope, extra):
    return slope / np.sqrt(60) - slope / np.sqrt(60 + extra)


def test_intervals_hold_the_true_gain():
    held = []
    for seed in range(10):
        _, offers = gains(simulated(0.02, 1.2, seed=seed), (30, 60, 120))
        held += [
            each["low"] <= true_gain(1.2, each["extra"]) <= each["high"]
            for each in offers
        ]
        assert all(each["low"] < each["gain"] < each["high"] for each in offers)
    assert np.mean(held) >= 0.8


def test_much_to_gain_is_a_gain():
    curve, (offer,) = gains(simulated(0.0, 2.0))
    assert offer["verdict"] == "gain"
    assert offer["gain"] == pytest.approx(true_gain(2.0, 60), abs=0.04)
    assert curve[-1] - offer["error"] == pytest.approx(offer["gain"])
    assert all(a > b for a, b in itertools.pairwise(curve))


def test_interval_grows_with_fewer_images_and_with_luck():
    def width(**options):
        _, (offer,) = gains(simulated(0.0, 2.0, **options))
        return offer["high"] - offer["low"]

    assert width(num_images=40) > 1.5 * width(num_images=2000)


@pytest.mark.parametrize(
    "wrong, extra, sizes, verdict",
    [
        (simulated(0.2, 0.0), 60, SIZES, "the gain may be none|not follow"),
        (simulated(0.0, 2.0), 181, SIZES, "over 4 times the labels"),
        (simulated(0.0, 2.0)[:, :3], 60, SIZES[:3], "too few labels"),
        (simulated(0, 2.0, 9), 60, SIZES, "only 9 images"),
        (simulated(0.0, 2.0)[:, ::-1], 60, SIZES, "do not follow a curve"),
        (np.zeros((20, 5, 400), bool), 60, SIZES, "the gain may be none"),
    ],
)
def test_says_when_it_cannot_tell(wrong, extra, sizes, verdict):
    _, (offer,) = gains(wrong, [extra], sizes)
    assert re.match(f"cannot tell: .*({verdict})", offer["verdict"])


def test_only_sizes_from_the_labels_there_are_count_where_there_are_more():
    # Below, where features know the labels, all is right.
    wrong = simulated(0.0, 2.0)
    wrong[:, :2] = False
    curve, (offer,) = extrapolated_gains(
        wrong, SIZES, 30, [60], 0.9, 500, np.random.default_rng(0)
    )
    assert curve[:2] == [None, None]
    expected = 2 / np.sqrt(30) - 2 / np.sqrt(90)
    assert offer["gain"] == pytest.approx(expected, abs=0.06)
    assert offer["low"] < expected < offer["high"]
