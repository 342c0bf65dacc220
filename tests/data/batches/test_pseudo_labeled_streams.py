import numpy as np
import pytest
import tensorflow as tf

from keras_fewlabels.data.batches.pseudo_labeled_batches import (
    PseudoLabeledBatches,
)
from keras_fewlabels.data.batches.pseudo_labeled_streams import (
    PseudoLabeledStreams,
)
from keras_fewlabels.data.sources.image_source import image_source

TRUE = np.arange(5, dtype="float32").reshape(-1, 1, 1, 1)
# More than one chunk, the last one not full.
UNLABELED = np.arange(100, 700, dtype="float32").reshape(-1, 1, 1, 1)
CLASSES = np.arange(5)
TARGETS = np.arange(600) % 3
CHOSEN = np.repeat(np.random.default_rng(0).permutation(600)[:200], 2)


def make(labels=CLASSES, unlabeled=UNLABELED, num_steps=None, **kwargs):
    kwargs = {"batch_size": 16, "shuffle": True, "seed": 3, **kwargs}
    return PseudoLabeledStreams(
        (TRUE, labels), image_source(unlabeled), num_steps=num_steps, **kwargs
    )


def read(dataset):
    parts = list(dataset.as_numpy_iterator())
    images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    return images.reshape(-1), labels


@pytest.mark.parametrize(
    "source",
    [
        lambda: tf.data.Dataset.from_tensor_slices(UNLABELED),
        lambda: tf.data.Dataset.from_tensor_slices(UNLABELED).batch(7),
        lambda: UNLABELED,
    ],
    ids=["images", "batches", "array"],
)
def test_same_images_and_labels_as_out_of_arrays(source):
    streams = make(unlabeled=source())
    arrays = PseudoLabeledBatches(
        (TRUE, np.arange(5)), image_source(UNLABELED), 16, seed=3
    )
    dataset = streams.as_dataset()
    assert len(dataset) == len(arrays) == 38
    for epoch, chosen in enumerate([CHOSEN[:0], CHOSEN, CHOSEN[:31]]):
        for batches in (streams, arrays):
            batches.fill_epoch(epoch, chosen, TARGETS)
        images, labels = read(dataset)
        parts = [arrays[index] for index in range(38)]
        expected = [np.concatenate(p) for p in zip(*parts, strict=True)]
        ours = sorted(zip(images, labels, strict=True))
        theirs = sorted(zip(expected[0].reshape(-1), expected[1], strict=True))
        assert len(ours) == 38 * 16
        # Which true images come one time more is left to the order.
        num_true = 38 * 16 - len(chosen)
        assert ours[num_true:] == theirs[num_true:]
        assert {image for image, _ in ours} == {image for image, _ in theirs}


def test_orders_differ_by_epoch_and_need_no_history():
    orders = []
    for epochs in ([0, 1], [1]):
        streams = make()
        dataset = streams.as_dataset()
        for epoch in epochs:
            streams.fill_epoch(epoch, CHOSEN, TARGETS)
            orders.append(read(dataset)[0])
    assert (orders[0] != orders[1]).any()
    np.testing.assert_array_equal(orders[1], orders[2])


def test_without_shuffling_the_sources_keep_their_order():
    streams = make(shuffle=False, num_steps=2)
    streams.fill_epoch(0, np.array([300, 7, 599]), TARGETS)
    images, labels = read(streams.as_dataset())
    assert images[-3:].tolist() == [107, 400, 699]
    assert labels[-3:].tolist() == [1, 0, 2]
    assert images[:7].tolist() == [0, 1, 2, 3, 4, 0, 1]


def test_soft_labels_and_batch_shapes_are_static():
    streams = make(np.eye(3, dtype="float32")[[0, 1, 2, 0, 1]], num_steps=40)
    targets = np.tile(np.array([0.5, 0.25, 0.25], "float16"), (600, 1))
    dataset = streams.as_dataset()
    streams.fill_epoch(0, np.arange(600), targets)
    images, labels = dataset.element_spec
    assert images.shape == (16, 1, 1, 1)
    assert labels.shape == (16, 3)
    images, labels = read(dataset)
    assert (labels[images >= 100] == [0.5, 0.25, 0.25]).all()
    assert (labels[images < 5].max(axis=1) == 1).all()


def test_a_pass_that_lasts_into_the_next_epoch_is_refused():
    # Longer than what is read ahead.
    streams = make(num_steps=2000)
    one_pass = streams.as_dataset().as_numpy_iterator()
    next(one_pass)
    streams.fill_epoch(1, CHOSEN, TARGETS)
    with pytest.raises(Exception, match="out of date"):
        for _ in one_pass:
            pass


def test_a_sample_of_labelled_images_is_of_one_pass():
    many = np.arange(40, dtype="float32").reshape(-1, 1, 1, 1)
    shuffled = tf.data.Dataset.from_tensor_slices((many, np.arange(40)))
    streams = PseudoLabeledStreams(
        shuffled.shuffle(40), image_source(UNLABELED), 16
    )
    images, labels = streams.labeled_sample(10)
    assert len(labels) == 10
    np.testing.assert_array_equal(images.reshape(-1), labels)


@pytest.mark.parametrize(
    "labeled, message",
    [
        (lambda: (TRUE[:0], CLASSES[:0]), "at least one image"),
        (lambda: (TRUE * np.nan, CLASSES), r"finite.*images \[0\]"),
    ],
)
def test_datasets_are_checked_as_arrays_are(labeled, message):
    data = tf.data.Dataset.from_tensor_slices(labeled())
    with pytest.raises(ValueError, match=f"(?s)`labeled` must.*{message}"):
        PseudoLabeledStreams(data, image_source(UNLABELED), 16)
