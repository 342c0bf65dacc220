import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from keras_fewlabels.evaluation.review import nearest_neighbors as module
from keras_fewlabels.evaluation.review.nearest_neighbors import (
    centred_directions,
    nearest_neighbors,
    neighbor_votes,
)


@pytest.mark.parametrize("piece", [2**25, 1000, 1])
def test_neighbors_are_those_of_scikit_learn(monkeypatch, piece):
    monkeypatch.setattr(module, "_PIECE", piece)
    features = np.random.default_rng(0).normal(2, 1, (60, 5))
    directions = centred_directions(features)
    indices, similarities = nearest_neighbors(directions, 7, num_queries=50)
    oracle = NearestNeighbors(n_neighbors=7, metric="cosine")
    distances, expected = oracle.fit(
        features - features.mean(axis=0)
    ).kneighbors()
    np.testing.assert_array_equal(
        np.sort(indices, axis=1), np.sort(expected[:50], axis=1)
    )
    np.testing.assert_allclose(
        np.sort(similarities, axis=1)[:, ::-1],
        1 - distances[:50],
        atol=1e-5,
    )


def test_row_at_the_mean_has_no_similar_rows():
    directions = centred_directions([[1.0, 2], [3, 2], [2, 2]])
    np.testing.assert_array_equal(directions, [[-1, 0], [1, 0], [0, 0]])


def test_votes_are_a_slow_loop():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(30, 4))
    votes = rng.dirichlet(np.ones(3), 30)
    weights = np.where(np.arange(30) < 20, 1, 3)
    found = neighbor_votes(features, votes, weights, 20, 5)
    centred = features - features.mean(axis=0)
    for query in range(20):
        cosines = [
            one @ centred[query] / np.linalg.norm(one)
            for one in centred / np.linalg.norm(centred[query])
        ]
        nearest = [n for n in np.argsort(cosines)[::-1] if n != query][:5]
        counts = [weights[n] * max(cosines[n], 0) ** 2 for n in nearest]
        expected = np.average(votes[nearest], axis=0, weights=counts)
        np.testing.assert_allclose(found[query], expected, atol=1e-4)


def test_all_other_images_vote_if_there_are_few():
    features, votes = np.eye(3), np.eye(3)
    found = neighbor_votes(features, votes, np.array([1, 1, 3.0]), 2, 20)
    # Nothing is like another: each counts by its weight alone.
    np.testing.assert_allclose(found, [[0, 0.25, 0.75], [0.25, 0, 0.75]])
    with pytest.raises(ValueError, match="two images or more"):
        neighbor_votes(np.eye(1), np.eye(1), np.ones(1), 1, 20)
