import sys

import numpy as np
import pytest

from keras_fewlabels.evaluation.review import cover_uncertainty as module
from keras_fewlabels.evaluation.review.cover_uncertainty import (
    cover_uncertainty,
)
from keras_fewlabels.evaluation.review.nearest_neighbors import (
    centred_directions,
)

RNG = np.random.default_rng(0)
DIRECTIONS = centred_directions(RNG.normal(size=(40, 6)))
WEIGHTS = RNG.random(40)


def weights():
    """The weights by the density, by a slow loop."""
    return [
        weight / sum(max(0, one @ other) ** 4 for other in DIRECTIONS)
        for one, weight in zip(DIRECTIONS, WEIGHTS, strict=True)
    ]


def covered(chosen, known):
    """The share of the weight that is covered, by a slow loop."""
    total = all_weight = 0
    for one, weight in zip(DIRECTIONS, weights(), strict=True):
        others = [*known, *DIRECTIONS[list(chosen)]]
        total += weight * max([0, *(one @ other for other in others)])
        all_weight += weight
    return total / all_weight


@pytest.mark.parametrize("num_known", [0, 5])
def test_each_choice_is_the_best_that_is_left(num_known):
    known = centred_directions(RNG.normal(size=(9, 6)))[:num_known]
    chosen, gains, _ = cover_uncertainty(DIRECTIONS, WEIGHTS, known, 6)
    assert len(set(chosen)) == 6
    for place in range(6):
        before = covered(chosen[:place], known)
        best = max(
            covered([*chosen[:place], other], known) for other in range(40)
        )
        assert gains[place] == pytest.approx(best - before, abs=1e-5)
        found = covered(chosen[: place + 1], known)
        assert found == pytest.approx(best, abs=1e-5)


def test_an_image_of_the_sample_is_there_once(monkeypatch):
    monkeypatch.setattr(module, "_MAX_SAMPLED", 3)
    alone = module._density(np.eye(7))
    np.testing.assert_allclose(alone, 1)
    # Six images in one place, of which a third are in the sample.
    together = module._density(np.tile([[1.0, 0.0]], (6, 1)))
    np.testing.assert_allclose(together, [5, 6, 5, 6, 5, 6])


def test_similar_images_are_not_chosen_twice():
    # Two heaps; one has more images, but both are wholly covered by one.
    directions = np.repeat(np.eye(2), [5, 3], axis=0)
    chosen, gains, distances = cover_uncertainty(
        directions, np.ones(8), np.zeros((0, 2)), 3
    )
    assert sorted(chosen[:2] < 5) == [False, True]
    np.testing.assert_allclose(gains, [1 / 2, 1 / 2, 0])
    np.testing.assert_allclose(distances, [1, 1, 0])


def test_images_near_a_label_need_no_other():
    directions = np.repeat(np.eye(2), [5, 3], axis=0)
    (chosen,), (gain,), _ = cover_uncertainty(
        directions, np.ones(8), np.eye(2)[:1], 1
    )
    assert chosen >= 5
    assert gain == 1 / 2


def test_no_group_has_more_than_its_limit_while_there_are_others():
    groups = np.array(35 * [0] + 4 * [1] + [2])
    chosen, _, _ = cover_uncertainty(
        *(DIRECTIONS, WEIGHTS, DIRECTIONS[:0], 9), groups, most_per_group=2
    )
    assert np.bincount(groups[chosen[:5]]).tolist() == [2, 2, 1]
    assert len(set(chosen)) == 9
    # Within a group, the best of it.
    first, *_ = cover_uncertainty(DIRECTIONS, WEIGHTS, DIRECTIONS[:0], 1)
    assert chosen[0] == first[0]


def test_many_images_are_narrowed_down_to_the_most_uncertain(monkeypatch):
    module = sys.modules[cover_uncertainty.__module__]
    monkeypatch.setattr(module, "_MAX_COVERED", 10)
    monkeypatch.setattr(module, "_MAX_SIMILARITIES", 50)
    chosen, _, _ = cover_uncertainty(DIRECTIONS, WEIGHTS, DIRECTIONS[:0], 4)
    assert set(chosen) <= set(np.argsort(weights())[-5:])


def test_no_uncertainty_at_all():
    chosen, gains, _ = cover_uncertainty(
        DIRECTIONS, np.zeros(40), DIRECTIONS[:0], 3
    )
    assert len(set(chosen)) == 3
    assert gains.tolist() == [0, 0, 0]
