import collections

import keras
import numpy as np
import pytest

from keras_fewlabels.data import mix_labeled_unlabeled


def images(count, start=0):
    """Images that carry their own number in every pixel."""
    numbers = np.arange(start, start + count, dtype="float32")
    return np.tile(numbers.reshape(-1, 1, 1, 1), (1, 4, 4, 1))


def parts(num_labeled=10, num_unlabeled=90):
    labels = np.arange(num_labeled) % 3
    return (images(num_labeled), labels), images(num_unlabeled, start=100)


def one_epoch(dataset):
    is_py_dataset = isinstance(dataset, keras.utils.PyDataset)
    batches = (
        [dataset[index] for index in range(len(dataset))]
        if is_py_dataset
        else list(dataset.as_numpy_iterator())
    )
    if is_py_dataset:
        dataset.on_epoch_end()
    return batches


def numbers(batches, part):
    return np.concatenate([x[part][:, 0, 0, 0] for x, _ in batches])


class Batches(keras.utils.PyDataset):
    def __init__(self, *arrays, batch_size=7):
        super().__init__()
        self.arrays, self.batch_size = arrays, batch_size

    def __len__(self):
        return -(-len(self.arrays[0]) // self.batch_size)

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        batch = tuple(array[part] for array in self.arrays)
        return batch if len(batch) > 1 else batch[0]


def as_tf_data(source, batch_size=None):
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(source)
    return dataset if batch_size is None else dataset.batch(batch_size)


SOURCES = {
    "arrays": lambda labeled, unlabeled: (labeled, unlabeled),
    "single images": lambda labeled, unlabeled: (
        as_tf_data(labeled),
        as_tf_data(unlabeled),
    ),
    "batches": lambda labeled, unlabeled: (
        as_tf_data(labeled, 4),
        as_tf_data(unlabeled, 32),
    ),
    "array and dataset": lambda labeled, unlabeled: (
        labeled,
        as_tf_data(unlabeled, 32),
    ),
    "PyDataset": lambda labeled, unlabeled: (
        Batches(*labeled),
        Batches(unlabeled),
    ),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_epoch_is_one_pass_over_the_longer_part(source):
    dataset = mix_labeled_unlabeled(
        *source(*parts()), batch_size=4, unlabeled_ratio=3, seed=0
    )
    batches = one_epoch(dataset)
    assert len(dataset) == len(batches) == 8  # 90 / 12, rounded up
    for x, y in batches:
        assert x["labeled"].shape == (4, 4, 4, 1)
        assert x["unlabeled"].shape == (12, 4, 4, 1)
        np.testing.assert_array_equal(x["labeled"][:, 0, 0, 0] % 3, y)
        # Each image keeps the number it has in its source.
        np.testing.assert_array_equal(
            x["unlabeled"][:, 0, 0, 0], 100 + x["index"]
        )
    assert set(numbers(batches, "unlabeled")) == set(range(100, 190))
    # 32 labelled places: three passes and two images more.
    counts = collections.Counter(numbers(batches, "labeled"))
    assert sorted(counts.values()) == [3] * 8 + [4] * 2


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_longer_labeled_part_decides(source):
    dataset = mix_labeled_unlabeled(
        *source(*parts(num_labeled=21, num_unlabeled=5)), batch_size=4
    )
    batches = one_epoch(dataset)
    assert len(batches) == 6
    assert set(numbers(batches, "labeled")) == set(range(21))


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_truth_and_sample_weights_stay_with_their_images(source):
    (images, labels), unlabeled = parts()
    dataset = mix_labeled_unlabeled(
        *source((images, labels, np.sqrt(np.arange(10.0))), unlabeled),
        batch_size=4,
        truth=np.arange(90) ** 2,
    )
    for x, _, sample_weight in one_epoch(dataset):
        np.testing.assert_allclose(
            sample_weight**2, x["labeled"][:, 0, 0, 0], rtol=1e-6
        )
        np.testing.assert_array_equal(
            x["truth"], (x["unlabeled"][:, 0, 0, 0] - 100) ** 2
        )


def test_order_is_new_each_epoch_and_reproducible():
    first, again, other = (
        mix_labeled_unlabeled(*parts(), batch_size=5, seed=seed)
        for seed in (1, 1, 2)
    )
    runs = [
        [numbers(one_epoch(dataset), "unlabeled") for _ in range(3)]
        for dataset in (first, again, other)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0][0] != runs[0][1]).any()
    assert (runs[0][0] != runs[2][0]).any()


def test_without_shuffling_the_order_stays():
    dataset = mix_labeled_unlabeled(*parts(), batch_size=5, shuffle=False)
    for _ in range(2):
        order = numbers(one_epoch(dataset), "unlabeled")
        np.testing.assert_array_equal(order, np.arange(100, 190))


def nan_images():
    broken = images(5)
    broken[3, 0, 0, 0] = np.nan
    return broken


LABELED, UNLABELED = parts()
ARRAY_PARTS = {
    "empty labeled": (
        lambda: ((images(0), np.arange(0)), UNLABELED),
        "`labeled` must hold at least one image",
    ),
    "empty unlabeled": (
        lambda: (LABELED, images(0)),
        "`unlabeled` must hold at least one image",
    ),
    "nan": (
        lambda: (LABELED, nan_images()),
        "`unlabeled` must hold finite numbers",
    ),
    "labels in it": (
        lambda: (LABELED, LABELED),
        "images alone.*Received: unlabeled of type tuple",
    ),
    "no labels": (lambda: (UNLABELED, UNLABELED), "pair .images, labels"),
    "other size": (
        lambda: (LABELED, UNLABELED[:, :3]),
        r"labeled \(4, 4, 1\), unlabeled \(3, 4, 1\)",
    ),
    "other channels": (
        lambda: (LABELED, np.repeat(UNLABELED, 3, axis=-1)),
        r"labeled \(4, 4, 1\), unlabeled \(4, 4, 3\)",
    ),
    "other dtype": (
        lambda: (LABELED, UNLABELED.astype("uint8")),
        "labeled float32, unlabeled uint8",
    ),
    "label rank": (
        lambda: ((LABELED[0], np.zeros((10, 2, 2))), UNLABELED),
        "labels of labeled.*must have shape",
    ),
    "label count": (
        lambda: ((LABELED[0], np.arange(9)), UNLABELED),
        "9 labels for 10 images",
    ),
    "negative label": (
        lambda: ((LABELED[0], np.arange(-1, 9)), UNLABELED),
        "minimum=-1",
    ),
}


@pytest.mark.parametrize("case", ARRAY_PARTS.values(), ids=ARRAY_PARTS)
def test_bad_arrays_are_refused(case):
    make, message = case
    with pytest.raises(ValueError, match=message):
        mix_labeled_unlabeled(*make(), batch_size=4)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_truth_of_another_length_is_refused(source):
    with pytest.raises(ValueError, match=r"shape=\(89,\) for 90 images"):
        mix_labeled_unlabeled(*source(*parts()), truth=np.zeros(89))


SAMPLE_WEIGHTS = {
    "count": (np.ones(9), r"shape=\(9,\) for 10 images"),
    "negative": (np.arange(-1.0, 9), "not negative.*minimum=-1"),
    "nan": (np.full(10, np.nan), "finite"),
}


@pytest.mark.parametrize("case", SAMPLE_WEIGHTS.values(), ids=SAMPLE_WEIGHTS)
def test_bad_sample_weights_are_refused(case):
    weights, message = case
    with pytest.raises(ValueError, match=message):
        mix_labeled_unlabeled((*LABELED, weights), UNLABELED)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"batch_size": 0}, "`batch_size` must be an int, 1 or more"),
        (
            {"batch_size": 2, "unlabeled_ratio": 0.1},
            "at least one labelled and one",
        ),
    ],
)
def test_empty_batches_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        mix_labeled_unlabeled(LABELED, UNLABELED, **arguments)


@pytest.mark.tensorflow
def test_truth_needs_images_in_a_fixed_order():
    import tensorflow as tf

    images = np.arange(300, dtype="float32").reshape(300, 1, 1, 1)
    labeled, truth = (images[:4], np.arange(4)), np.arange(300)
    fixed = tf.data.Dataset.from_tensor_slices(images)
    late = fixed.take(200).concatenate(fixed.skip(200).shuffle(99))
    for dataset in (
        fixed.shuffle(300),
        fixed.batch(7).shuffle(9),
        # The first pass after a start is the same, and each later one differs.
        fixed.shuffle(300, seed=1),
        late,
    ):
        with pytest.raises(ValueError, match=r"the same order.*shuffle=False"):
            mix_labeled_unlabeled(labeled, dataset, 4, truth=truth)
        # Without the truth, no order is needed.
        mix_labeled_unlabeled(labeled, dataset, 4)
    once = fixed.shuffle(300, seed=1, reshuffle_each_iteration=False)
    order = np.ravel(list(once.as_numpy_iterator()))
    mixed = mix_labeled_unlabeled(labeled, once, 4, truth=order)
    for inputs, _ in mixed.as_numpy_iterator():
        shown = inputs["unlabeled"].ravel()
        np.testing.assert_array_equal(inputs["truth"], shown)


@pytest.mark.parametrize("truth", [[[0.1, 0.9]] * 90, [[0.0, 0.9999999]] * 90])
def test_soft_truth_is_refused(truth):
    images = np.zeros((100, 4, 4, 1), "float32")
    with pytest.raises(ValueError, match="`truth` must hold class numbers"):
        mix_labeled_unlabeled(
            (images[:10], np.arange(10) % 2), images[10:], truth=truth
        )
