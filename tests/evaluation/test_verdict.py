import json

import numpy as np
import pytest

from keras_fewlabels.evaluation import Verdict


def test_clear_gain_and_loss():
    better, worse = Verdict(500, 60, 20), Verdict(500, 20, 60)
    assert better.is_better is True and worse.is_better is False
    assert better.difference == pytest.approx(0.08)
    low, high = better.interval
    assert 0 < low < 0.08 < high
    assert worse.interval == pytest.approx((-high, -low))
    assert str(better) == "better by 8.0 points (4.5 to 11.4) on 500 images"
    assert str(worse) == "worse by 8.0 points (4.5 to 11.4) on 500 images"


@pytest.mark.parametrize("counts", [(10, 1, 0), (500, 21, 20), (1000, 0, 0)])
def test_nobody_can_tell(counts):
    verdict = Verdict(*counts)
    assert verdict.is_better is None
    assert str(verdict).startswith("cannot tell: ")


def test_interval_covers_the_truth_as_often_as_it_says():
    # Of 80 images 15 % are gained and 5 % lost: a true gain of 10 points.
    counts = np.random.default_rng(0).multinomial(
        80, [0.15, 0.05, 0.8], size=4000
    )
    covered = 0
    for gained, lost, _ in counts:
        low, high = Verdict(80, int(gained), int(lost)).interval
        covered += low <= 0.1 <= high
    assert 0.94 < covered / len(counts) < 0.97


def test_dict_is_json():
    figures = json.loads(json.dumps(Verdict(4, 3, 1).to_dict()))
    assert figures["difference"] == 0.5 and figures["num_gained"] == 3
    assert figures["interval"] == list(Verdict(4, 3, 1).interval)
    assert figures["is_better"] is None
