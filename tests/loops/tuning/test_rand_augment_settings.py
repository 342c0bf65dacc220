import collections

import pytest

from keras_fewlabels.loops.tuning.tune_rand_augment import rand_augment_settings

GRID = [(1, 4), (1, 9), (3, 4), (3, 9)]


def settings(max_trials, seed=0):
    return rand_augment_settings((1, 3), (4, 9), max_trials, seed)


@pytest.mark.parametrize("max_trials", [5, 6, 100])
def test_whole_grid_after_no_augmentation(max_trials):
    assert settings(max_trials) == [(0, 0), *GRID]


def test_equal_values_are_one():
    assert rand_augment_settings((1, 1), (4, 4.0), 9, 0) == [(0, 0), (1, 4)]


def test_fewer_trials_draw_each_setting_equally_often():
    drawn = [settings(3, seed) for seed in range(400)]
    assert drawn[7] == settings(3, seed=7)
    counts = collections.Counter(pair for draw in drawn for pair in draw)
    assert counts.pop((0, 0)) == 400
    assert set(counts) == set(GRID)
    assert all(count == pytest.approx(200, abs=40) for count in counts.values())


ERRORS = {
    "one trial": (((1,), (4,), 1, 0), "max_trials=1"),
    "half": (((1,), (4,), 2.5, 0), r"max_trials=2\.5"),
    "no ops": (((), (4,), 9, 0), r"one value or more.*num_ops=\(\)"),
    "no magnitude": (((1,), (), 9, 0), r"magnitudes=\(\)"),
    "zero": (((0, 1), (4,), 9, 0), r"none of 0, which is always tried"),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    with pytest.raises(ValueError, match=case[1]):
        rand_augment_settings(*case[0])
