import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_fewlabels.data import mix_labeled_unlabeled

LABELED = np.zeros((10, 4, 4, 1), "float32"), np.arange(10)
UNLABELED = np.zeros((90, 4, 4, 1), "float32")


def as_tf_data(source):
    return tf.data.Dataset.from_tensor_slices(source)


class Endless(keras.utils.PyDataset):
    @property
    def num_batches(self):
        return None

    def __getitem__(self, index):
        return UNLABELED[:4]


TF_PARTS = {
    "infinite": (
        lambda: (LABELED, as_tf_data(UNLABELED).repeat()),
        r"`unlabeled` must end.*Remove `.repeat\(\)`",
    ),
    "infinite PyDataset": (
        lambda: (LABELED, Endless()),
        "must end.*`__len__`",
    ),
    "empty": (
        lambda: (LABELED, as_tf_data(UNLABELED).take(0)),
        "`unlabeled` must hold at least one image",
    ),
    "labels in it": (
        lambda: (LABELED, as_tf_data(LABELED)),
        "images alone.*labels=None",
    ),
    "a label below 0": (
        lambda: (as_tf_data((LABELED[0], LABELED[1] - 1)), UNLABELED),
        "labels of labeled",
    ),
    "no labels": (
        lambda: (as_tf_data(UNLABELED), UNLABELED),
        r"pairs \(images, labels\)",
    ),
    "other size": (
        lambda: (LABELED, as_tf_data(UNLABELED[:, :3])),
        r"labeled \(4, 4, 1\), unlabeled \(3, 4, 1\)",
    ),
    "other dtype": (
        lambda: (LABELED, as_tf_data(UNLABELED.astype("uint8"))),
        "labeled float32, unlabeled uint8",
    ),
    "vectors": (
        lambda: (LABELED, as_tf_data(UNLABELED[:, :, 0, 0])),
        r"`unlabeled` must be a dataset of images of shape",
    ),
}


@pytest.mark.parametrize("case", TF_PARTS.values(), ids=TF_PARTS)
def test_bad_datasets_are_refused(case):
    make, message = case
    with pytest.raises(ValueError, match=message):
        mix_labeled_unlabeled(*make(), batch_size=4)


def test_batches_may_be_tensors_of_the_backend():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            part = (array[5 * index : 5 * index + 5] for array in LABELED)
            return tuple(map(keras.ops.convert_to_tensor, part))

    dataset = mix_labeled_unlabeled(Batches(), UNLABELED, 5, seed=0)
    found = np.concatenate([y for _, y in dataset.as_numpy_iterator()])
    assert set(found) == set(range(10))


def test_shapes_are_static():
    dataset = mix_labeled_unlabeled(
        LABELED, as_tf_data(UNLABELED).batch(7), 4, unlabeled_ratio=2
    )
    images, labels = dataset.element_spec
    assert images["labeled"].shape == (4, 4, 4, 1)
    assert images["unlabeled"].shape == (8, 4, 4, 1)
    assert labels.shape == (4,)


def test_unknown_length_is_counted():
    filtered = as_tf_data(UNLABELED).filter(lambda image: True)
    assert len(mix_labeled_unlabeled(LABELED, filtered, 30)) == 3


NUMBERS = np.arange(30, dtype="float32").reshape(-1, 1, 1, 1)


def orders(dataset, epoch=None):
    """Which labelled and unlabelled images an epoch shows, in their order."""
    if epoch is not None:
        dataset.begin_epoch(epoch)
    batches = list(dataset.as_numpy_iterator())
    return (
        np.concatenate([labels for _, labels in batches]).tolist(),
        np.concatenate([images["index"] for images, _ in batches]).tolist(),
    )


# With a global seed of 0 TensorFlow treats seeds that are tensors otherwise.
@pytest.mark.parametrize("global_seed", [0, 3])
def test_epochs_that_begin_by_number(global_seed):
    keras.utils.set_random_seed(global_seed)

    def mixed(seed):
        labeled = NUMBERS[:7], np.arange(7)
        return mix_labeled_unlabeled(
            labeled, as_tf_data(NUMBERS), 5, unlabeled_ratio=2, seed=seed
        )

    dataset = mixed(1)
    first = orders(dataset, 4)
    for part in (0, 1):
        others = [orders(dataset, epoch)[part] for epoch in (0, 3, 5)]
        assert first[part] not in others
    assert orders(dataset, 4) == first == orders(mixed(1), 4)
    assert orders(mixed(2), 4) != first
    # Without a number they follow one another.
    following = [orders(dataset)[1] for _ in range(3)]
    assert len({tuple(order) for order in following}) == 3
    # Whatever the order, an epoch is what it was.
    labels, indices = first
    assert sorted(indices) == list(range(30))
    assert sorted(np.bincount(labels)) == [2] * 6 + [3]


def test_without_shuffling_the_order_is_that_of_the_dataset():
    dataset = mix_labeled_unlabeled(
        (NUMBERS[:4], np.arange(4)), as_tf_data(NUMBERS), 5, 2, shuffle=False
    )
    labels, indices = orders(dataset, 3)
    assert indices == list(range(30))
    assert labels == [*range(4), *range(4), *range(4), 0, 1, 2]


@pytest.mark.parametrize("weight", [np.nan, -1])
def test_sample_weights_of_datasets_are_checked(weight):
    weights = np.ones(10)
    weights[4] = weight
    with pytest.raises(ValueError, match="sample weights must be finite"):
        mix_labeled_unlabeled(as_tf_data((*LABELED, weights)), UNLABELED)


def test_images_of_unknown_size_have_it_in_batches():
    def decoded(images):
        return tf.data.Dataset.from_generator(
            lambda: iter(images),
            output_signature=tf.TensorSpec((None, None, 1)),
        )

    labels = as_tf_data(LABELED[1])
    data = mix_labeled_unlabeled(
        tf.data.Dataset.zip(decoded(LABELED[0]), labels),
        decoded(UNLABELED),
        batch_size=2,
    )
    inputs, _ = data.element_spec
    assert inputs["labeled"].shape == (2, 4, 4, 1)
    assert inputs["unlabeled"].shape[1:] == (4, 4, 1)


@pytest.mark.parametrize("shuffled", [False, True])
def test_whether_indices_always_name_the_same_images(shuffled):
    numbers = np.arange(90, dtype="float32").reshape(-1, 1, 1, 1)
    unlabeled = as_tf_data(np.tile(numbers, (1, 4, 4, 1)))
    if shuffled:
        unlabeled = unlabeled.shuffle(90)
    data = mix_labeled_unlabeled(LABELED, unlabeled)
    assert data.has_fixed_order() is not shuffled
