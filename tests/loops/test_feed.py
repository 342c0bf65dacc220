import numpy as np
import pytest

from keras_fewlabels.loops.feed import labeled_feed, mixed_feed

IMAGES = np.arange(20, dtype="float32").reshape(-1, 1, 1, 1)
LABELED = IMAGES[:6], np.arange(6)


def elements(feed):
    if hasattr(feed.dataset, "as_numpy_iterator"):
        return list(feed.dataset.as_numpy_iterator())
    elements = [feed.dataset[index] for index in range(len(feed.dataset))]
    feed.dataset.on_epoch_end()
    return elements


def test_labelled_images():
    feed = labeled_feed(LABELED, 4, 9, seed=0)
    assert feed.num_steps == len(elements(feed)) == 9
    for images, labels in elements(feed):
        assert images.shape == (4, 1, 1, 1)
        np.testing.assert_array_equal(images.reshape(-1), labels)


@pytest.mark.parametrize("num_steps", [1, 7])
def test_mixed_images_out_of_arrays(num_steps):
    truth = np.arange(14, dtype="int32")
    feed = mixed_feed(LABELED, IMAGES[6:], (2, 3), num_steps, 0, truth)
    assert feed.num_steps == len(elements(feed)) == num_steps
    for images, labels in elements(feed):
        np.testing.assert_array_equal(images["labeled"].reshape(-1), labels)
        unlabeled = images["unlabeled"].reshape(-1) - 6
        np.testing.assert_array_equal(images["index"], unlabeled)
        np.testing.assert_array_equal(images["truth"], unlabeled)


def labels_of(feed, epoch):
    feed.order.begin_epoch(epoch)
    return [labels.tolist() for _, labels in elements(feed)]


@pytest.mark.parametrize(
    "build",
    [
        lambda seed: labeled_feed(LABELED, 4, 9, seed),
        lambda seed: mixed_feed(LABELED, IMAGES[6:], (4, 3), 9, seed),
    ],
)
def test_epochs_that_begin_by_number(build):
    first = labels_of(build(0), 5)
    feed = build(0)
    assert labels_of(feed, 4) != first
    assert labels_of(feed, 5) == first
    assert labels_of(build(1), 5) != first


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "num_steps, expected", [(1, 5), (5, 5), (7, 5), (8, 10), (21, 20)]
)
def test_mixed_images_out_of_a_dataset_are_whole_passes(num_steps, expected):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(IMAGES[6:])
    truth = np.arange(14, dtype="int32")
    feed = mixed_feed(LABELED, dataset, (2, 3), num_steps, 0, truth)
    assert feed.num_steps == expected == len(elements(feed))
    # One pass is five batches of three, so one image comes twice.
    numbers = [images["index"] for images, _ in elements(feed)]
    for start in range(0, expected, 5):
        counts = np.bincount(np.concatenate(numbers[start : start + 5]))
        assert sorted(counts) == [1] * 13 + [2]
    # Its epochs begin by number too.
    first = labels_of(feed, 5)
    assert labels_of(feed, 4) != first == labels_of(feed, 5)
