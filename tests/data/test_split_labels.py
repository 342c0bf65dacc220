import numpy as np
import pytest

from keras_fewlabels.data import split_labels


def dataset(num_images=100, shares=(0.7, 0.3)):
    x = np.arange(num_images, dtype="float32").reshape(-1, 1, 1, 1)
    counts = np.round(np.multiply(shares, num_images)).astype(int)
    return x, np.repeat(np.arange(len(shares)), counts)


def test_parts_are_disjoint_and_labels_stay_with_their_image():
    x, y = dataset()
    (x_l, y_l), x_u, (x_r, y_r) = split_labels(x, y, 20, 50)
    everything = np.concatenate([x_l, x_u, x_r]).reshape(-1)
    assert sorted(everything) == list(range(100))
    np.testing.assert_array_equal(y[x_l.reshape(-1).astype(int)], y_l)
    np.testing.assert_array_equal(y[x_r.reshape(-1).astype(int)], y_r)


@pytest.mark.parametrize(
    "shares, num_labeled, expected",
    [
        ((0.7, 0.3), 10, [7, 3]),
        ((0.97, 0.02, 0.01), 10, [8, 1, 1]),
        ((0.5, 0.3, 0.2), 9, [4, 3, 2]),
        ((0.98, 0.02), 100 - 1, [97, 2]),
    ],
    ids=["proportional", "at least one", "rounded", "nearly all"],
)
def test_stratified_counts(shares, num_labeled, expected):
    x, y = dataset(shares=shares)
    (_, labels), _, _ = split_labels(x, y, num_labeled)
    assert np.bincount(labels).tolist() == expected


def test_labels_come_in_random_order():
    x, y = dataset()
    (_, labels), _, _ = split_labels(x, y, 40)
    assert (np.diff(labels) != 0).sum() > 5


def test_everything_else_is_unlabeled_by_default():
    x, y = dataset()
    _, x_u, (x_r, y_r) = split_labels(x, y, 20)
    assert (len(x_u), len(x_r), len(y_r)) == (80, 0, 0)


def test_seed_decides():
    x, y = dataset()
    first, again, other = (split_labels(x, y, 20, seed=s)[1] for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_one_hot_labels_are_stratified_too():
    x, y = dataset()
    (_, labels), _, _ = split_labels(x, np.eye(2)[y], 10)
    assert labels.sum(axis=0).tolist() == [7, 3]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"num_labeled": 0},
            "`num_labeled` must be an int, 1 or more.*num_labeled=0",
        ),
        ({"num_labeled": 100}, "one unlabelled.*num_unlabeled=0"),
        ({"num_labeled": 60, "num_unlabeled": 60}, "must not exceed"),
        ({"num_labeled": 1}, "one label per class.*num_labeled=1"),
    ],
)
def test_impossible_sizes_are_refused(arguments, message):
    x, y = dataset()
    with pytest.raises(ValueError, match=message):
        split_labels(x, y, **arguments)
