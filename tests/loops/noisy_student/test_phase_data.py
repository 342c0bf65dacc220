import operator

import keras
import numpy as np
import pytest

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.loops import recommend
from keras_fewlabels.loops.noisy_student.phase_data import (
    divide,
    labeled_batches,
    mixed_batches,
)
from keras_fewlabels.loops.noisy_student.task import inspect_task


def task_of(counts, num_unlabeled=50, loss=None):
    """A task whose images all differ in their only pixel."""
    classes = np.random.default_rng(0).permutation(
        np.repeat(np.arange(len(counts)), counts)
    )
    images = np.arange(len(classes) + num_unlabeled, dtype="float32") / 5000
    images = images.reshape(-1, 1, 1, 1)
    model = keras.Sequential(
        [
            keras.Input((1, 1, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(len(counts), activation="softmax"),
        ]
    )
    if loss is not None:
        model.compile("sgd", loss)
    labeled = images[: len(classes)], classes
    return inspect_task(model, labeled, images[len(classes) :])


def pixels(images):
    return images.reshape(-1).tolist()


def test_many_labels_leave_most_images_to_train_on():
    # As many labels as images: one image for each would be all of them.
    labels = np.random.default_rng(0).integers(0, 2, (20, 20))
    images = np.arange(70, dtype="float32").reshape(-1, 1, 1, 1) / 70
    model = keras.Sequential(
        [
            keras.Input((1, 1, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(20, activation="sigmoid"),
        ]
    )
    labeled = images[:20], labels
    settings = recommend(model, labeled, images[20:])
    assert settings.validation_split == 0.2
    assert settings.why["validation_split"].startswith("4 of 20 labelled")
    task = inspect_task(model, labeled, images[20:])
    data = divide(task, None, None, settings.validation_split, 0)
    assert len(data.labeled[0]) == 16 and len(data.validation[0]) == 4


@pytest.mark.parametrize("seed", range(5))
def test_images_of_several_labels_are_divided_with_all_labels(seed):
    # The third label is on two images of 30: one split of four has both parts.
    labels = np.zeros((30, 3), "float32")
    labels[::2, 0] = labels[::3, 1] = labels[[4, 20], 2] = 1
    images = np.arange(80, dtype="float32").reshape(-1, 1, 1, 1) / 80
    model = keras.Sequential(
        [
            keras.Input((1, 1, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="sigmoid"),
        ]
    )
    task = inspect_task(model, (images[:30], labels), images[30:])
    truth = np.ones((50, 3), int)
    data = divide(task, None, None, 0.2, seed, truth)
    assert len(data.validation[0]) == 6 and len(data.labeled[0]) == 24
    assert task.count_classes(data.labeled[1]).min() == 1
    assert task.count_classes(data.validation[1]).min() == 1
    parts = zip(data.labeled, data.validation, strict=True)
    found, found_labels = (np.concatenate(part) for part in parts)
    order = np.argsort(found.reshape(-1))
    np.testing.assert_array_equal(found[order], images[:30])
    np.testing.assert_array_equal(found_labels[order], labels)
    assert data.truth.shape == (50, 3)
    again = divide(task, None, None, 0.2, seed).validation[0]
    np.testing.assert_array_equal(again, data.validation[0])


@pytest.mark.parametrize("loss", [None, "sparse_categorical_crossentropy"])
@pytest.mark.parametrize(
    "counts",
    [(10, 10), (2, 2, 2), (2, 100), (2, 3), (2, 2, 3), (3, 3, 90), (50, 7, 5)],
)
@pytest.mark.parametrize("share", [1e-9, 0.1, 0.2, 1 / 3, 0.5])
def test_parts_do_not_overlap_and_have_all_classes(counts, share, loss):
    task = task_of(counts, loss=loss)
    data = divide(task, None, None, share, seed=0)
    trained, validated = pixels(data.labeled[0]), pixels(data.validation[0])
    assert not set(trained) & set(validated)
    assert sorted(trained + validated) == sorted(pixels(task.labeled[0]))
    # Labels stay with their images, in the form in which they were.
    classes = dict(zip(pixels(task.labeled[0]), task.labeled[1], strict=True))
    for images, labels in (data.labeled, data.validation):
        for pixel, label in zip(pixels(images), labels, strict=True):
            np.testing.assert_array_equal(label, classes[pixel])
    found = task.count_classes(data.validation[1])
    assert found.sum() == max(len(counts), round(share * sum(counts)))
    assert task.count_classes(data.labeled[1]).min() >= 1
    assert found.min() >= 1
    # Shares are those of the classes, within an image.
    rest = np.array(counts) * found.sum() / sum(counts)
    if min(rest) >= 1:
        assert np.abs(found - rest).max() <= 1


def test_seed():
    task = task_of((20, 30))
    first, same, other = (
        pixels(divide(task, None, None, 0.2, seed).validation[0])
        for seed in (1, 1, 2)
    )
    assert first == same and sorted(first) != sorted(other)


def test_nothing_is_set_aside_where_nothing_should_be():
    task = task_of((1, 4))
    given = task.labeled[0][:2], task.labeled[1][:2]
    data = divide(task, given, "test data", 0.2, seed=3)
    assert data.labeled is task.labeled
    assert all(map(operator.is_, data.validation, given))
    assert data.test == "test data"
    assert data.seed == 3 and data.truth is None
    data = divide(task, None, None, 0.0, seed=0)
    assert data.labeled is task.labeled and data.validation is None


@pytest.mark.parametrize("num_unlabeled", [3, 50, 1500])
def test_clean_images_are_some_of_those_to_train_on(num_unlabeled):
    task = task_of((30, 1500), num_unlabeled)
    data = divide(task, None, None, 0.2, seed=0)
    clean = pixels(data.clean_images)
    allowed = pixels(data.labeled[0]) + pixels(task.sample)
    assert len(set(clean)) == len(clean) == min(2048, len(allowed))
    assert set(clean) <= set(allowed)
    assert not set(clean) & set(pixels(data.validation[0]))
    # Of both kinds, in no order.
    assert set(clean) & set(pixels(task.sample))
    assert set(clean) & set(pixels(data.labeled[0]))
    assert np.abs(np.corrcoef(clean, range(len(clean)))[0, 1]) < 0.2


def test_clean_images_are_drawn_from_all_of_many_labelled_ones():
    task = task_of((2000, 2000), num_unlabeled=10)
    clean = divide(task, None, None, 0.0, seed=0).clean_images
    assert len(clean) == 2048
    # The images lie in their order between 0 and 0.8.
    assert np.mean(clean) == pytest.approx(0.4, abs=0.02)


def test_validation_images_may_be_learned_in_the_end():
    task = task_of((20, 30))
    data = divide(task, None, "test data", 0.2, seed=0)
    learned = data.with_validation_learned()
    assert learned.validation is None
    assert sorted(pixels(learned.labeled[0])) == pixels(task.labeled[0])
    classes = dict(zip(pixels(task.labeled[0]), task.labeled[1], strict=True))
    for pixel, row in zip(
        pixels(learned.labeled[0]), learned.labeled[1], strict=True
    ):
        np.testing.assert_array_equal(row, classes[pixel])
    assert learned.test == "test data"
    assert learned.clean_images is data.clean_images
    # What it was made from stays as it was.
    assert len(data.labeled[0]) == 40 and len(data.validation[0]) == 10


def test_truth():
    data = divide(task_of((5, 5)), None, None, 0.2, 0, [1] * 50)
    assert data.truth.dtype == "int32" and data.truth.tolist() == [1] * 50


@pytest.mark.parametrize(
    "counts, truth, expected",
    [
        ((1, 4), None, "so each class needs two.*one image of class 0$"),
        ((3, 1, 1), None, "validation_split': 0}`.*of class 1, 2$"),
        ((4, 4), [1] * 49, r"`truth` must have.*shape=\(49,\) for 50 images"),
        ((4, 4), [[1]] * 50, r"`truth` must have.*shape=\(50, 1\)"),
    ],
)
def test_what_cannot_be_divided_is_refused(counts, truth, expected):
    with pytest.raises(ValueError, match=expected):
        divide(task_of(counts), None, None, 0.2, 0, truth)


def test_validation_images_out_of_files_are_read(tmp_path):
    image = np.full((1, 1, 1), 7, "uint8")
    keras.utils.save_img(tmp_path / "1.png", image, scale=False)
    files = ImageFiles([tmp_path / "1.png"], 1, "grayscale")
    given = files, np.array([[1.0, 0.0]])
    data = divide(task_of((1, 4)), given, given, 0.2, seed=0)
    assert data.validation[0].tolist() == [[[[7]]]]
    assert data.test[0] is files


IMAGES = np.arange(20, dtype="float32").reshape(-1, 1, 1, 1)
LABELED = IMAGES[:6], np.arange(6)


def elements(batches):
    if hasattr(batches.dataset, "as_numpy_iterator"):
        return list(batches.dataset.as_numpy_iterator())
    elements = [batches.dataset[index] for index in range(len(batches.dataset))]
    batches.dataset.on_epoch_end()
    return elements


def test_labelled_images():
    batches = labeled_batches(LABELED, 4, 9, seed=0)
    assert batches.num_steps == len(elements(batches)) == 9
    for images, labels in elements(batches):
        assert images.shape == (4, 1, 1, 1)
        np.testing.assert_array_equal(images.reshape(-1), labels)


@pytest.mark.parametrize("num_steps", [1, 7])
def test_mixed_images_out_of_arrays(num_steps):
    truth = np.arange(14, dtype="int32")
    batches = mixed_batches(LABELED, IMAGES[6:], (2, 3), num_steps, 0, truth)
    assert batches.num_steps == len(elements(batches)) == num_steps
    for images, labels in elements(batches):
        np.testing.assert_array_equal(images["labeled"].reshape(-1), labels)
        unlabeled = images["unlabeled"].reshape(-1) - 6
        np.testing.assert_array_equal(images["index"], unlabeled)
        np.testing.assert_array_equal(images["truth"], unlabeled)


def labels_of(batches, epoch):
    batches.order.begin_epoch(epoch)
    return [labels.tolist() for _, labels in elements(batches)]


@pytest.mark.parametrize(
    "build",
    [
        lambda seed: labeled_batches(LABELED, 4, 9, seed),
        lambda seed: mixed_batches(LABELED, IMAGES[6:], (4, 3), 9, seed),
    ],
)
def test_epochs_that_begin_by_number(build):
    first = labels_of(build(0), 5)
    batches = build(0)
    assert labels_of(batches, 4) != first
    assert labels_of(batches, 5) == first
    assert labels_of(build(1), 5) != first


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "num_steps, expected", [(1, 5), (5, 5), (7, 5), (8, 10), (21, 20)]
)
def test_mixed_images_out_of_a_dataset_are_whole_passes(num_steps, expected):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(IMAGES[6:])
    truth = np.arange(14, dtype="int32")
    batches = mixed_batches(LABELED, dataset, (2, 3), num_steps, 0, truth)
    assert batches.num_steps == expected == len(elements(batches))
    # One pass is five batches of three, so one image comes twice.
    numbers = [images["index"] for images, _ in elements(batches)]
    for start in range(0, expected, 5):
        counts = np.bincount(np.concatenate(numbers[start : start + 5]))
        assert sorted(counts) == [1] * 13 + [2]
    # Its epochs begin by number too.
    first = labels_of(batches, 5)
    assert labels_of(batches, 4) != first == labels_of(batches, 5)
