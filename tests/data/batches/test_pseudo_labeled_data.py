import keras
import numpy as np
import pytest

from keras_fewlabels.data.batches.pseudo_labeled_data import pseudo_labeled_data
from keras_fewlabels.data.sources.image_source import image_source


def images_of(values):
    return (
        np.zeros((len(values), 4, 4, 1), "float32")
        + values[:, None, None, None]
    )


LABELED = images_of(np.arange(5, dtype="float32")), np.arange(5)
UNLABELED = images_of(np.arange(100, 120, dtype="float32"))


def mixed(labeled=LABELED, unlabeled=UNLABELED, batch_size=4, steps=None):
    source = image_source(unlabeled)
    return pseudo_labeled_data(
        labeled, source, batch_size=batch_size, steps_per_epoch=steps, seed=0
    )


def tf_data(*parts):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(
        parts if len(parts) > 1 else parts[0]
    )


def epoch_of(feed):
    """Returns the images of an epoch and their labels, sorted by image."""
    feed.fill_epoch(0, np.array([3, 17, 3]), np.arange(20) % 5)
    dataset = feed.as_dataset()
    batches = (
        [dataset[i] for i in range(len(dataset))]
        if isinstance(dataset, keras.utils.PyDataset)
        else list(dataset.as_numpy_iterator())
    )
    images, labels = map(np.concatenate, zip(*batches, strict=True))
    order = np.argsort(images[:, 0, 0, 0], kind="stable")
    return images[order, 0, 0, 0].tolist(), labels[order].tolist()


COMBINATIONS = {
    "arrays": lambda: (LABELED, UNLABELED),
    "unlabelled dataset": lambda: (LABELED, tf_data(UNLABELED)),
    "labelled dataset": lambda: (tf_data(*LABELED).batch(2), UNLABELED),
    "two datasets": lambda: (tf_data(*LABELED), tf_data(UNLABELED)),
}


@pytest.mark.parametrize("make", COMBINATIONS.values(), ids=COMBINATIONS)
def test_arrays_and_datasets_have_the_same_epochs(make):
    feed = mixed(*make(), batch_size=8, steps=1)
    assert feed.labels.tolist() == [0, 1, 2, 3, 4]
    images, labels = epoch_of(feed)
    # Each labelled image once, and the pseudo-labelled ones as chosen.
    assert images == [0, 1, 2, 3, 4, 103, 103, 117]
    assert labels == [0, 1, 2, 3, 4, 3, 3, 2]


@pytest.mark.parametrize("make", COMBINATIONS.values(), ids=COMBINATIONS)
def test_an_epoch_is_a_pass_over_all_images_by_default(make):
    assert mixed(*make()).num_steps == 7  # Of 25 images, four at a time.
    assert mixed(*make(), steps=3).num_steps == 3


ERRORS = {
    "no pair": (lambda: mixed(LABELED[0]), "pair.*ndarray"),
    "three": (lambda: mixed((*LABELED, LABELED[1])), "pair.*of 3"),
    "batch size": (lambda: mixed(batch_size=0), "`batch_size`.*=0"),
    "steps": (lambda: mixed(steps=-2), "`steps_per_epoch`.*=-2"),
    "shape": (
        lambda: mixed(unlabeled=UNLABELED[:, :2]),
        r"labeled \(4, 4, 1\), unlabeled \(2, 4, 1\)",
    ),
    "dataset of another shape": (
        lambda: mixed(unlabeled=tf_data(UNLABELED[:, :2])),
        r"labeled \(4, 4, 1\), unlabeled \(2, 4, 1\)",
    ),
    "dtype": (
        lambda: mixed(unlabeled=tf_data(UNLABELED.astype("uint8"))),
        "labeled float32, unlabeled uint8",
    ),
    "weights": (
        lambda: mixed(tf_data(*LABELED, LABELED[1]), tf_data(UNLABELED)),
        r"pairs \(images, labels\).*weights",
    ),
    "labels": (
        lambda: mixed(tf_data(LABELED[0], LABELED[1] - 1), tf_data(UNLABELED)),
        "class numbers from 0.*minimum=-1",
    ),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    with pytest.raises(ValueError, match=case[1]):
        case[0]()
