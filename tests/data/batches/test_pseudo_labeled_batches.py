import numpy as np
import pytest

from keras_fewlabels.data.batches.pseudo_labeled_batches import (
    PseudoLabeledBatches,
)
from keras_fewlabels.data.sources.image_source import image_source

TRUE = np.arange(5, dtype="float32").reshape(-1, 1, 1, 1)
UNLABELED = np.arange(100, 110, dtype="float32").reshape(-1, 1, 1, 1)


def make(labels, batch_size, num_steps=None, shuffle=True):
    return PseudoLabeledBatches(
        (TRUE, labels),
        image_source(UNLABELED),
        batch_size,
        num_steps,
        shuffle,
        seed=0,
    )


def epoch(batches):
    """The label of each image that an epoch shows, and how often."""
    parts = [batches[index] for index in range(len(batches))]
    images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert len(images) == len(batches) * batches.batch_size
    images = images.reshape(-1).astype(int).tolist()
    labels = dict(zip(images, labels.tolist(), strict=True))
    return labels, {image: images.count(image) for image in labels}


def test_only_true_labels_at_first_as_often_as_it_takes():
    labels, times = epoch(make(np.arange(5), 2))
    assert labels == {0: 0, 1: 1, 2: 2, 3: 3, 4: 4}
    assert sum(times.values()) == 16  # 8 full batches hold all 15 images.


def test_new_labels_come_with_the_next_epoch_and_true_ones_stay():
    batches = make(np.arange(5), 2)
    true = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4}
    batches.fill_epoch(1, np.array([1, 3, 3]), np.arange(10) % 4)
    labels, times = epoch(batches)
    assert labels == {**true, 101: 1, 103: 3}
    assert (times[101], times[103]) == (1, 2)
    batches.fill_epoch(2, np.array([9]), np.full(10, 2))
    assert epoch(batches)[0] == {**true, 109: 2}
    batches.fill_epoch(3, np.array([], int), None)
    assert epoch(batches)[0] == true


def test_one_hot_labels_keep_shape_and_dtype():
    true = np.eye(3, dtype="float16")[[0, 1, 2, 0, 1]]
    batches = make(true, 6, num_steps=1)
    batches.fill_epoch(0, np.array([4]), np.full((10, 3), 1 / 3, "float16"))
    images, labels = batches[0]
    assert labels.dtype == "float16"
    np.testing.assert_allclose(
        labels[images.reshape(-1) == 104], [[1 / 3] * 3], rtol=1e-3
    )


def test_without_shuffling_true_labels_come_first():
    batches = make(np.arange(5), 4, num_steps=3, shuffle=False)
    batches.fill_epoch(0, np.array([2, 0, 1]), np.zeros(10, int))
    images = np.concatenate([batches[i][0] for i in range(3)]).reshape(-1)
    assert images.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 100, 101, 102]


def test_batches_come_in_order_whatever_the_index():
    batches = make(np.arange(5), 4, num_steps=3)
    in_order = [batches.batch(i, batches.new_order())[1] for i in range(3)]
    for order in ([0, 1, 2], [2, 0, 1]):
        batches.fill_epoch(0, np.array([], int), None)
        asked = [batches[index][1] for index in order]
        np.testing.assert_array_equal(asked, in_order)


@pytest.mark.tensorflow
def test_a_pass_that_lasts_into_the_next_epoch_is_refused():
    # Longer than what is read ahead.
    batches = make(np.arange(5), 1, num_steps=2000)
    one_pass = batches.as_dataset().as_numpy_iterator()
    next(one_pass)
    batches.fill_epoch(1, np.array([1]), np.zeros(10, int))
    with pytest.raises(Exception, match="out of date"):
        for _ in one_pass:
            pass
