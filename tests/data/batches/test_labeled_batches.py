import numpy as np
import pytest

from keras_fewlabels.data.batches.mixed_batches import LabeledBatches

IMAGES = np.arange(6, dtype="float32").reshape(-1, 1, 1, 1)
LABELS = np.arange(6) * 10


def epoch(batches):
    labels = [batches[index][1] for index in range(len(batches))]
    batches.on_epoch_end()
    return np.concatenate(labels)


def test_images_keep_their_labels():
    images, labels = LabeledBatches(IMAGES, LABELS, 4, 3, seed=0)[2]
    assert images.shape == (4, 1, 1, 1)
    np.testing.assert_array_equal(images.reshape(-1) * 10, labels)


@pytest.mark.parametrize("batch_size", [1, 4, 6, 15])
def test_every_image_comes_equally_often(batch_size):
    batches = LabeledBatches(IMAGES, LABELS, batch_size, 4, seed=0)
    labels = epoch(batches)
    assert len(batches) == 4 and len(labels) == 4 * batch_size
    counts = np.bincount(labels // 10, minlength=6)
    assert counts.max() - counts.min() <= 1
    # Each pass is complete before the next one begins.
    for start in range(0, len(labels) - 5, 6):
        assert sorted(labels[start : start + 6]) == LABELS.tolist()


def test_passes_and_epochs_have_orders_of_their_own():
    batches = LabeledBatches(IMAGES, LABELS, 6, 3, seed=0)
    orders = [
        tuple(order)
        for _ in range(2)
        for order in epoch(batches).reshape(3, 6).tolist()
    ]
    assert len(set(orders)) == len(orders)


def test_rows_of_probabilities_are_labels_too():
    rows = np.eye(6)
    images, labels = LabeledBatches(IMAGES, rows, 4, 1, seed=0)[0]
    np.testing.assert_array_equal(labels.argmax(1), images.reshape(-1))


@pytest.mark.tensorflow
def test_shapes_are_static():
    dataset = LabeledBatches(IMAGES, LABELS, 4, 7).as_dataset()
    images, labels = dataset.element_spec
    assert images.shape == (4, 1, 1, 1) and labels.shape == (4,)
    assert len(dataset) == len(list(dataset)) == 7
