import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from keras_fewlabels.evaluation.frozen_features.neighbor_graph import (
    NeighborGraph,
)
from keras_fewlabels.evaluation.pool import foreign_images as module
from keras_fewlabels.evaluation.pool.foreign_images import foreign_images

X, Y = load_digits(return_X_y=True)


def digits(per_class, foreign, seed):
    """Pixels of digits, of which the last classes carry no label.

    Returns the labelled and unlabelled images, the labels, and whether an
    unlabelled image is foreign.
    """
    order = np.random.default_rng(seed).permutation(len(X))
    known = 10 - foreign
    labeled = np.concatenate(
        [order[Y[order] == number][:per_class] for number in range(known)]
    )
    rest = np.setdiff1d(order, labeled)
    return X[np.append(labeled, rest)], Y[labeled], Y[rest] >= known


def examined(features, classes, **options):
    graph = NeighborGraph(features)
    return foreign_images(graph, classes, len(features), **options)


@pytest.mark.parametrize("per_class", [4, 10])
def test_digits_without_a_label_are_foreign(per_class):
    for seed in range(3):
        features, classes, truth = digits(per_class, 5, seed)
        found = examined(features, classes)
        assert roc_auc_score(truth, found.scores) > 0.94
        assert found.weights[truth].mean() < 0.5 < found.weights[~truth].mean()
        # Where less of the labels arrives, images are likelier foreign.
        order = np.argsort(found.scores)
        assert (np.diff(found.weights[order]) <= 0).all()
        low, high = found.interval
        assert 0 <= low <= found.share <= high <= 1
        assert low < truth.mean()
        assert found.share == pytest.approx(1 - found.weights.mean())
        np.testing.assert_array_equal(found.is_foreign, found.weights < 0.5)


def test_of_a_clean_pool_nearly_all_images_keep_their_weight():
    for seed in range(3):
        features, classes, _ = digits(10, 0, seed)
        found = examined(features, classes)
        assert found.weights.mean() > 0.97 and found.is_foreign.mean() < 0.05
        assert found.interval[0] < 0.03


def test_labels_of_few_writers_make_no_other_writer_foreign():
    # The first digits are by the same people, as shots of the same things.
    order = np.flatnonzero(Y < 5)
    labeled = np.concatenate(
        [order[Y[order] == number][:10] for number in range(5)]
    )
    rest = np.setdiff1d(order, labeled)
    found = examined(X[np.append(labeled, rest)], Y[labeled])
    assert found.is_foreign.mean() < 0.1
    # But they may be: most of them are further off than labelled images.
    assert np.median(found.scores) > 0.3 and found.interval[1] > 0.5


def test_scores_are_what_arrives_at_half_of_the_labelled_images():
    features, classes, _ = digits(4, 5, 0)
    features = features[:400]
    graph, count = NeighborGraph(features), len(classes)
    unit = np.eye(len(features))
    flow = graph.mass(unit)  # From each image (column) to each (row).
    hidden = []
    for image, number in enumerate(classes):
        others = [
            other
            for other in range(count)
            if other != image and classes[other] != number
        ]
        same = [
            other
            for other in range(count)
            if other != image and classes[other] == number
        ]
        # Three labels of the class stand for four.
        hidden.append(
            flow[image, others].sum() + flow[image, same].sum() * 4 / 3
        )
    arrives = np.maximum(flow[count:, :count].sum(axis=1), 1e-7)
    expected = np.log10(np.median(np.maximum(hidden, 1e-7)) / arrives)
    found = foreign_images(graph, classes, len(features))
    np.testing.assert_allclose(found.scores, expected, atol=0.02)


def test_images_that_nothing_joins_to_a_label_have_no_weight():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(60, 8)) + 9 * np.eye(8)[0]
    other = rng.normal(size=(60, 8)) - 9 * np.eye(8)[0]
    classes = np.arange(10) % 2
    found = examined(np.concatenate([first, other]), classes)
    truth = np.repeat([False, True], [50, 60])
    assert found.weights[truth].max() < 0.2
    assert found.scores[truth].min() > found.scores[~truth].max()
    low, high = found.interval
    assert low < 60 / 110 < high


def test_one_label_per_class_gives_scores_alone():
    features, classes, truth = digits(1, 5, 0)
    found = examined(features, classes)
    assert found.share is None and found.interval == (0, 1)
    assert (found.weights == 1).all() and not found.is_foreign.any()
    assert roc_auc_score(truth, found.scores) > 0.7


def test_few_labelled_images_stand_for_many(monkeypatch):
    features, classes, _ = digits(10, 5, 0)
    whole = examined(features, classes)
    monkeypatch.setattr(module, "_MAX_HELD_OUT", 30)
    part = examined(features, classes)
    assert abs(whole.share - part.share) < 0.3
    np.testing.assert_array_equal(
        part.weights, examined(features, classes).weights
    )


def test_falling_slopes_are_those_of_the_concave_hull():
    places = np.array([0.25, 0.5, 0.75, 1])
    heights = np.array([0.1, 0.6, 0.7, 1])
    # The hull runs from (0, 0) by (0.5, 0.6) to (1, 1).
    np.testing.assert_allclose(
        module._falling_slopes(places, heights), [1.2, 1.2, 0.8, 0.8]
    )
