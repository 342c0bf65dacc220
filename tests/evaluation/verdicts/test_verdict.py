import json

import keras
import numpy as np
import pytest
from scipy.stats import binomtest

from keras_fewlabels.evaluation.verdicts import (
    Verdict,
    accuracy_interval,
    compare_predictions,
    wilson_interval,
)


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
def test_interval_with_0_leaves_the_question_open(counts):
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


def test_dict_survives_json():
    figures = json.loads(json.dumps(Verdict(4, 3, 1).to_dict()))
    assert figures["difference"] == 0.5 and figures["num_gained"] == 3
    assert figures["interval"] == list(Verdict(4, 3, 1).interval)
    assert figures["is_better"] is None


def test_saved_without_a_figure(tmp_path):
    Verdict(4, 3, 1).save(tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.name == "verdict.json"
    assert json.loads(file.read_text()) == Verdict(4, 3, 1).to_dict()


@pytest.mark.parametrize(
    "num_right, num_images", [(0, 1), (1, 1), (45, 52), (52, 52), (3455, 5000)]
)
def test_agrees_with_scipy(num_right, num_images):
    expected = binomtest(num_right, num_images).proportion_ci(method="wilson")
    found = wilson_interval(num_right, num_images)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert all(0 <= bound <= 1 for bound in found)


@pytest.mark.parametrize("counts", [(3, 2), (-1, 2), (0, 0)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="`num_right` must be from 0 to"):
        wilson_interval(*counts)


Y = np.array([0, 1, 2, 2, 1])
BEFORE = np.array([0, 1, 1, 1, 1])
AFTER = np.array([0, 0, 2, 1, 1])


@pytest.mark.parametrize("kind", [np.asarray, keras.utils.to_categorical])
def test_counts_images_that_only_one_has_right(kind):
    verdict = compare_predictions(kind(BEFORE), kind(AFTER), kind(Y))
    assert verdict == Verdict(num_images=5, num_gained=1, num_lost=1)


def test_scores_of_any_size():
    # Logits, which are no distribution.
    before = keras.utils.to_categorical(BEFORE) * 7 - 3
    assert compare_predictions(before, Y, Y) == Verdict(5, 2, 0)


@pytest.mark.parametrize(
    "arrays", [(BEFORE[:4], AFTER, Y), (BEFORE[:0], AFTER[:0], Y[:0])]
)
def test_other_images_are_refused(arrays):
    with pytest.raises(ValueError, match="must be of the same images"):
        compare_predictions(*arrays)


def test_an_accuracy_of_images_that_are_right_or_wrong():
    assert accuracy_interval(45 / 52, 52) == wilson_interval(45, 52)
    # A share of right decisions can vary as much.
    deviation = np.sqrt(45 / 52 * 7 / 52)
    found = accuracy_interval(45 / 52, 52, deviation)
    assert found == pytest.approx(wilson_interval(45, 52))


def test_an_accuracy_of_shares_covers_the_truth_as_often_as_it_says():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(4000):
        shares = random.choice([0.6, 0.9, 1.0], 60, p=[0.2, 0.3, 0.5])
        low, high = accuracy_interval(shares.mean(), 60, shares.std())
        covered += low <= 0.89 <= high
    assert 0.94 < covered / 4000 < 0.97


@pytest.mark.parametrize("accuracy", [0.0, 0.75, 1.0])
def test_few_images_that_agree_do_not_make_an_accuracy_certain(accuracy):
    low, high = accuracy_interval(accuracy, 3, deviation=0.0)
    assert 0 <= low < high <= 1 and high - low > 0.3
