import tracemalloc

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph
from sklearn.preprocessing import normalize

from keras_fewlabels.evaluation.frozen_features import neighbor_graph as module
from keras_fewlabels.evaluation.frozen_features.neighbor_graph import (
    NeighborGraph,
)

X, Y = load_digits(return_X_y=True)
X, Y = X[:300], Y[:300]
LABELS = np.where(np.arange(300)[:, None] < 40, np.eye(10)[Y], 0)


def oracle(features, labels):
    """Label spreading by matrices, 30 steps."""
    unit = normalize(features)
    near = kneighbors_graph(unit, 10, include_self=False).toarray()
    weights = near * np.maximum(unit @ unit.T, 0) ** 3
    weights = np.maximum(weights, weights.T)
    scale = 1 / np.sqrt(weights.sum(axis=1))
    weights = weights * scale * scale[:, None]
    spread = labels
    for _ in range(30):
        spread = 0.8 * weights @ spread + 0.2 * labels
    spread = spread + 1e-9
    return spread / spread.sum(axis=1, keepdims=True)


def test_labels_spread_as_by_matrices():
    found = NeighborGraph(X).spread(LABELS)
    np.testing.assert_allclose(found, oracle(X, LABELS), atol=1e-4)
    assert (found.argmax(axis=1) == Y).mean() > 0.85


def test_pieces_change_nothing(monkeypatch):
    whole = NeighborGraph(X).spread(LABELS)
    monkeypatch.setattr(module, "_PIECE", 9000)
    np.testing.assert_allclose(
        NeighborGraph(X).spread(LABELS), whole, atol=1e-6
    )


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_images(count):
    labels = np.eye(2)[np.arange(count) % 2]
    spread = NeighborGraph(X[:count]).spread(labels)
    assert spread.shape == (count, 2)
    np.testing.assert_allclose(spread.sum(axis=1), 1, atol=1e-5)


def test_features_of_zeros_have_no_label_but_do_no_harm():
    features = np.concatenate([X[:50], np.zeros((3, X.shape[1]))])
    spread = NeighborGraph(features).spread(LABELS[:53])
    assert np.isfinite(spread).all()


def test_mass_is_what_arrives_and_spreads_alike():
    graph = NeighborGraph(X)
    mass = graph.mass(LABELS)
    shares = mass / mass.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(graph.spread(LABELS), shares, atol=1e-3)
    # As much goes from an image to another one as back.
    flow = graph.mass(np.eye(len(X)))
    np.testing.assert_allclose(flow, flow.T, atol=1e-6)
    np.testing.assert_allclose(flow @ LABELS, mass, atol=1e-5)


def test_neighbors_are_joined_both_ways():
    near = kneighbors_graph(normalize(X), 10, include_self=False).toarray()
    near = np.maximum(near, near.T)
    graph = NeighborGraph(X)
    for image in (0, 150, 299):
        expected = np.flatnonzero(near[image])
        assert sorted(graph.neighbors(image)) == expected.tolist()


@pytest.mark.parametrize("factor", [0.0, 1.0, 1000.0])
def test_neighbors_of_features_in_half_precision_are_the_same(factor):
    rng = np.random.default_rng(0)
    features = (factor * rng.random((40, 16))).astype("float16")
    targets = np.eye(40, 3)
    expected = NeighborGraph(features.astype("float32")).spread(targets)
    found = NeighborGraph(features).spread(targets)
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(found).all()


def test_memory_does_not_grow_with_the_square_of_the_images():
    features = np.random.default_rng(0).normal(size=(4000, 4))
    tracemalloc.start()
    try:
        NeighborGraph(features)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # All similarities would be 64 MB, and all their orders 128 MB.
    assert peak < 100e6
