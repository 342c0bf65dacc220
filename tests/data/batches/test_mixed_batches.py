import numpy as np
import pytest

from keras_fewlabels.data.batches.mixed_batches import MixedBatches

IMAGES = np.arange(7, dtype="float32").reshape(-1, 1, 1, 1)
LABELS = np.arange(7) * 10


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
