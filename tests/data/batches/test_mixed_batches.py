import numpy as np
import pytest

from keras_fewlabels.data.batches.mixed_batches import (
    JoinedBatches,
    LabeledBatches,
    MixedBatches,
)

IMAGES = np.arange(7, dtype="float32").reshape(-1, 1, 1, 1)
LABELS = np.arange(7) * 10
FEW_IMAGES, FEW_LABELS = IMAGES[:6], LABELS[:6]


def test_each_pass_over_the_shorter_part_has_its_own_order():
    batches = MixedBatches((IMAGES[:3], LABELS[:3]), IMAGES, 3, 1, seed=0)
    orders = [batches[index][1].tolist() for index in range(len(batches))]
    assert all(sorted(order) == [0, 10, 20] for order in orders)
    assert len({tuple(order) for order in orders}) > 1


def test_a_batch_may_be_larger_than_its_part():
    batches = MixedBatches((IMAGES[:2], LABELS[:2]), IMAGES, 5, 7, seed=0)
    images, labels = batches[0]
    assert len(batches) == 1
    np.testing.assert_array_equal(images["labeled"].reshape(-1) * 10, labels)
    assert sorted(np.bincount(labels // 10)) == [2, 3]


@pytest.mark.tensorflow
def test_shapes_are_static():
    dataset = MixedBatches((IMAGES, LABELS), IMAGES, 3, 5).as_dataset()
    images, labels = dataset.element_spec
    assert images["labeled"].shape == (3, 1, 1, 1)
    assert images["unlabeled"].shape == (5, 1, 1, 1)
    assert labels.shape == (3,)


@pytest.mark.parametrize("num_steps", [1, 2, 9])
def test_an_epoch_of_any_number_of_steps(num_steps):
    batches = MixedBatches(
        (IMAGES[:3], LABELS[:3]), IMAGES, 2, 3, seed=0, num_steps=num_steps
    )
    assert len(batches) == num_steps
    parts = [batches[index] for index in range(num_steps)]
    for num_images, numbers in (
        (3, np.concatenate([labels // 10 for _, labels in parts])),
        (7, np.concatenate([images["index"] for images, _ in parts])),
    ):
        counts = np.bincount(numbers, minlength=num_images)
        assert counts.max() - counts.min() <= 1


def epoch(batches):
    labels = [batches[index][1] for index in range(len(batches))]
    batches.on_epoch_end()
    return np.concatenate(labels)


def test_images_keep_their_labels():
    images, labels = LabeledBatches(FEW_IMAGES, FEW_LABELS, 4, 3, seed=0)[2]
    assert images.shape == (4, 1, 1, 1)
    np.testing.assert_array_equal(images.reshape(-1) * 10, labels)


@pytest.mark.parametrize("batch_size", [1, 4, 6, 15])
def test_every_image_comes_equally_often(batch_size):
    batches = LabeledBatches(FEW_IMAGES, FEW_LABELS, batch_size, 4, seed=0)
    labels = epoch(batches)
    assert len(batches) == 4 and len(labels) == 4 * batch_size
    counts = np.bincount(labels // 10, minlength=6)
    assert counts.max() - counts.min() <= 1
    # Each pass is complete before the next one begins.
    for start in range(0, len(labels) - 5, 6):
        assert sorted(labels[start : start + 6]) == FEW_LABELS.tolist()


def test_passes_and_epochs_have_orders_of_their_own():
    batches = LabeledBatches(FEW_IMAGES, FEW_LABELS, 6, 3, seed=0)
    orders = [
        tuple(order)
        for _ in range(2)
        for order in epoch(batches).reshape(3, 6).tolist()
    ]
    assert len(set(orders)) == len(orders)


def test_rows_of_probabilities_are_labels_too():
    rows = np.eye(6)
    images, labels = LabeledBatches(FEW_IMAGES, rows, 4, 1, seed=0)[0]
    np.testing.assert_array_equal(labels.argmax(1), images.reshape(-1))


@pytest.mark.tensorflow
def test_shapes_of_labeled_batches_are_static():
    dataset = LabeledBatches(FEW_IMAGES, FEW_LABELS, 4, 7).as_dataset()
    images, labels = dataset.element_spec
    assert images.shape == (4, 1, 1, 1) and labels.shape == (4,)
    assert len(dataset) == len(list(dataset)) == 7


def test_joined_parts_come_in_fixed_numbers():
    parts = [
        (np.arange(5.0)[:, None], np.zeros(5), 1),
        (np.arange(10.0, 17.0)[:, None], np.ones(7), 3),
    ]
    batches = JoinedBatches(parts, num_steps=7, seed=0)
    seen = [batches[number] for number in range(7)]
    for images, labels in seen:
        np.testing.assert_array_equal(labels, [0, 1, 1, 1])
        np.testing.assert_array_equal(images[:, 0] >= 10, labels)
    # Three passes over the seven images of the second part.
    others = np.concatenate([images[1:, 0] for images, _ in seen])
    assert np.bincount(others.astype(int))[10:].tolist() == [3] * 7
    again = JoinedBatches(parts, num_steps=7, seed=0)
    np.testing.assert_array_equal(again[0][0], seen[0][0])
