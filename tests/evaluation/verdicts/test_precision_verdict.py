import json

import numpy as np
import pytest

from keras_fewlabels.evaluation.mean_average_precision import (
    mean_average_precision,
)
from keras_fewlabels.evaluation.verdicts import (
    PrecisionVerdict,
    compare_precisions,
)


def drawn(random, num_images, gains=(1.0, 2.0)):
    """Scores of two models, of which the second tells labels better."""
    truth = random.random((num_images, 3)) < [0.5, 0.3, 0.2]
    # What makes an image hard is the same for both.
    hard = random.normal(size=truth.shape)
    return (
        *(gain * truth + hard + random.normal(size=hard.shape) / 2
          for gain in gains),
        truth.astype("float32"),
    )  # fmt: skip


def test_the_difference_is_that_of_the_mean_average_precisions():
    before, after, truth = drawn(np.random.default_rng(0), 100)
    verdict = compare_precisions(before, after, truth)
    expected = mean_average_precision(after, truth) - mean_average_precision(
        before, truth
    )
    assert verdict.difference == pytest.approx(expected)
    low, high = verdict.interval
    assert 0 < low < expected < high
    assert verdict.is_better is True and verdict.num_images == 100
    other = compare_precisions(after, before, truth)
    assert other.interval == pytest.approx((-high, -low))
    assert other.is_better is False


def test_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    before, after, truth = drawn(random, 50_000)
    expected = mean_average_precision(after, truth)
    expected -= mean_average_precision(before, truth)
    covered = 0
    for _ in range(300):
        low, high = compare_precisions(*drawn(random, 120)).interval
        covered += low <= expected <= high
    assert 0.9 < covered / 300 < 0.99


@pytest.mark.parametrize("num_images", [1, 3, 100])
def test_images_that_do_not_tell(num_images):
    before, _, truth = drawn(np.random.default_rng(0), num_images)
    truth[0] = 1
    verdict = compare_precisions(before, before, truth)
    assert verdict.is_better is None and verdict.difference == 0


def test_no_image_has_a_label():
    before, after, truth = drawn(np.random.default_rng(0), 10)
    assert compare_precisions(before, after, np.zeros_like(truth)) is None
    # In most draws of these, no image has one.
    truth[1:] = truth[0, 1:] = 0
    truth[0, 0] = 1
    assert compare_precisions(before, after, truth).num_images == 10


def test_dict_survives_json():
    verdict = PrecisionVerdict(4, 0.25, (-0.1, 0.6))
    # 95 % lie within 1.96 standard errors.
    assert verdict.error == pytest.approx(0.35 / 1.96, rel=1e-4)
    figures = json.loads(json.dumps(verdict.to_dict()))
    assert figures == {
        "num_images": 4,
        "difference": 0.25,
        "interval": [-0.1, 0.6],
        "is_better": None,
    }
