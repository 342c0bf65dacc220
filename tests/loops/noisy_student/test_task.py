import keras
import numpy as np
import pytest

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.loops.noisy_student.task import inspect_task

RNG = np.random.default_rng(0)
IMAGES = RNG.random((30, 4, 5, 3), "float32")
LABELS = np.arange(12) % 3
LABELED = IMAGES[:12], LABELS
UNLABELED = IMAGES[12:]


def classifier(*front, activation=None, loss=None, num_classes=3):
    model = keras.Sequential(
        [
            keras.Input((4, 5, 3)),
            *front,
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, activation=activation),
        ],
        name="net",
    )
    if loss is not None:
        model.compile("sgd", loss)
    return model


def test_a_task():
    task = inspect_task(classifier(), LABELED, UNLABELED)
    assert task.num_classes == 3
    assert len(task.unlabeled) == 18
    assert task.value_range == (0, 1)
    assert task.scores.from_logits and not task.scores.sparse
    assert task.class_counts.tolist() == [4, 4, 4]
    np.testing.assert_array_equal(task.labeled[0], IMAGES[:12])
    # A model that is not compiled is trained with rows, for they can be soft.
    np.testing.assert_array_equal(task.labeled[1], np.eye(3)[LABELS])
    np.testing.assert_array_equal(task.sample, UNLABELED)
    np.testing.assert_array_equal(task.unlabeled.images, UNLABELED)


@pytest.mark.parametrize(
    "images, expected",
    [
        (IMAGES, (0, 1)),
        (2 * IMAGES - 1, (-1, 1)),
        (255 * IMAGES, (0, 255)),
        ((255 * IMAGES).astype("uint8"), (0, 255)),
        ((255 * IMAGES).astype("int64"), (0, 255)),
        # A dark one has no less contrast to come.
        ((100 * IMAGES).astype("uint8"), (0, 255)),
        (np.zeros_like(IMAGES), (0, 1)),
    ],
)
def test_the_value_range_is_found_out(images, expected):
    task = inspect_task(classifier(), (images[:12], LABELS), images[12:])
    assert task.value_range == expected


def test_a_value_range_that_is_given_counts():
    task = inspect_task(classifier(), LABELED, UNLABELED, [0.0, 2.0])
    assert task.value_range == (0.0, 2.0)


losses = keras.losses


@pytest.mark.parametrize(
    "activation, loss, from_logits, sparse",
    [
        (None, None, True, False),
        ("softmax", None, False, False),
        ("softmax", "sparse_categorical_crossentropy", False, True),
        ("softmax", "categorical_crossentropy", False, False),
        (None, losses.CategoricalCrossentropy(from_logits=True), True, False),
        (
            None,
            losses.SparseCategoricalCrossentropy(from_logits=True),
            True,
            True,
        ),
        # Who compiles says what outputs are, even if they look otherwise.
        ("softmax", losses.CategoricalCrossentropy(from_logits=True), 1, 0),
    ],
)
@pytest.mark.parametrize("labels", [LABELS, np.eye(3)[LABELS]], ids=str)
def test_logits_and_labels_are_read_as_the_loss_reads_them(
    activation, loss, from_logits, sparse, labels
):
    model = classifier(activation=activation, loss=loss)
    task = inspect_task(model, (IMAGES[:12], labels), UNLABELED)
    assert task.scores.from_logits == from_logits
    assert task.scores.sparse == sparse
    expected = LABELS if sparse else np.eye(3)[LABELS]
    np.testing.assert_array_equal(task.labeled[1], expected)
    assert task.class_counts.tolist() == [4, 4, 4]
    _, checked = task.check((IMAGES[:3], labels[:3]), "test_data")
    np.testing.assert_array_equal(checked, expected[:3])


def test_soft_labels_stay_soft_and_count_for_their_likeliest_class():
    rows = 0.75 * np.eye(3)[LABELS] + 0.25 / 3
    task = inspect_task(classifier(), (IMAGES[:12], rows), UNLABELED)
    np.testing.assert_allclose(task.labeled[1], rows, rtol=1e-6)
    assert task.class_counts.tolist() == [4, 4, 4]


def test_counts_have_a_place_for_each_class():
    task = inspect_task(classifier(), LABELED, UNLABELED)
    assert task.count_classes(np.array([1, 1])).tolist() == [0, 2, 0]
    assert task.count_classes(np.eye(3)[[1, 1]]).tolist() == [0, 2, 0]


class Batches(keras.utils.PyDataset):
    """Five images at a time."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return UNLABELED[index * 5 : (index + 1) * 5]


@pytest.mark.tensorflow
def test_unlabelled_images_out_of_tf_data():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(UNLABELED).batch(5)
    task = inspect_task(classifier(), LABELED, dataset)
    assert task.unlabeled.images is dataset and len(task.unlabeled) == 18
    np.testing.assert_array_equal(task.sample, UNLABELED)


def test_unlabelled_images_out_of_a_py_dataset():
    dataset = Batches()
    task = inspect_task(classifier(), LABELED, dataset)
    assert task.unlabeled.images is dataset and len(task.unlabeled) == 18
    np.testing.assert_array_equal(task.sample, UNLABELED)


def test_only_some_of_many_images_are_looked_at():
    # A pool may be sorted.
    many = np.linspace(0, 1, 1500 * 60, dtype="float32")
    many = many.reshape(1500, 4, 5, 3)
    task = inspect_task(classifier(), LABELED, many)
    assert len(task.unlabeled) == 1500 and len(task.sample) == 1000
    np.testing.assert_array_equal(task.sample, many[task.sample_numbers])
    assert np.mean(task.sample_numbers) == pytest.approx(750, abs=30)


def test_a_model_whose_inputs_have_no_size():
    inputs = keras.Input((None, None, 3))
    features = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3)(features))
    assert inspect_task(model, LABELED, UNLABELED).num_classes == 3


def test_a_model_that_scales_what_is_not_scaled():
    model = classifier(keras.layers.Rescaling(1 / 255))
    images = (255 * IMAGES).astype("uint8")
    task = inspect_task(model, (images[:12], LABELS), images[12:])
    assert task.value_range == (0, 255)
    # One that moves (0, 1) to (-1, 1) scales nothing down.
    inspect_task(classifier(keras.layers.Rescaling(2, -1)), LABELED, UNLABELED)


def scaling(scale):
    return classifier(keras.Sequential([keras.layers.Rescaling(scale)]))


def broken(index=20):
    images = IMAGES.copy()
    images[index, 1, 2, 0] = np.nan
    return images


@pytest.mark.parametrize(
    "model, labeled, unlabeled, expected",
    [
        ("net", LABELED, UNLABELED, "must return a built Keras model.*'net'"),
        (None, LABELED, UNLABELED, "must return a built.*Received: None"),
        (
            lambda: keras.Sequential([keras.layers.Dense(3)]),
            LABELED,
            UNLABELED,
            "student must be built.*Add a `keras.Input`",
        ),
        (
            classifier,
            (IMAGES[:12, :, :4], LABELS),
            UNLABELED[:, :, :4],
            r"take the images as they are.*\(4, 4, 3\).*inputs are \(4, 5, 3\)",
        ),
        (
            lambda: keras.Sequential(
                [keras.Input((4, 5, 3)), keras.layers.ReLU()]
            ),
            LABELED,
            UNLABELED,
            r"student must give one row of class scores.*4, 5, 3\)",
        ),
        (
            lambda: classifier(num_classes=4),
            LABELED,
            UNLABELED,
            "at least one labelled image.*none of class 3$",
        ),
        (
            lambda: classifier(num_classes=2),
            LABELED,
            UNLABELED,
            "`labels of labeled` must hold class numbers from 0 to 1",
        ),
        (
            classifier,
            (IMAGES[:12], np.eye(4)[LABELS]),
            UNLABELED,
            "a column for each of the model's 3 classes",
        ),
        (
            lambda: classifier(loss="mse"),
            LABELED,
            UNLABELED,
            "categorical cross-entropy of Keras",
        ),
        (
            lambda: classifier(loss="categorical_crossentropy"),
            LABELED,
            UNLABELED,
            "last layer of the student needs `activation='softmax'`",
        ),
        (classifier, LABELED, UNLABELED[:, :3], "the same height, width"),
        (
            classifier,
            LABELED,
            UNLABELED.astype("float64"),
            "the same dtype",
        ),
        (classifier, (IMAGES, LABELS), UNLABELED, "one label per image"),
        (classifier, LABELED, (UNLABELED, LABELS), "images alone"),
        (classifier, LABELED, "images/", "images, not where they are"),
        (classifier, LABELED, broken()[12:], "`unlabeled` must hold finite"),
        (classifier, LABELED, 2 * UNLABELED, "`unlabeled` must lie in the val"),
        (
            classifier,
            (300 * IMAGES[:12], LABELS),
            300 * UNLABELED,
            r"do not tell what is black.*Pass `value_range.* to 2\d\d",
        ),
        (
            lambda: classifier(keras.layers.Rescaling(1 / 255)),
            LABELED,
            UNLABELED,
            r"scales its images down \(layer 'rescaling.*images in \(0, 1\)",
        ),
        (
            lambda: scaling([1 / 127.5] * 3),
            LABELED,
            UNLABELED,
            "scales its images down",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    model, labeled, unlabeled, expected
):
    model = model() if callable(model) else model
    with pytest.raises(ValueError, match=expected):
        inspect_task(model, labeled, unlabeled)


@pytest.mark.parametrize(
    "data, expected",
    [
        (IMAGES, "`test_data` must be a pair"),
        ((IMAGES[:12, :3], LABELS), r"like the labelled.*\(3, 5, 3\)"),
        (
            (IMAGES[:12].astype("float64"), LABELS),
            r"like the labelled.*dtype=float64; labeled has .*float32",
        ),
        ((2 * IMAGES[:12], LABELS), "`test_data` must lie in the value range"),
        ((IMAGES[:12], LABELS + 1), "`test_data` must hold class numbers from"),
        ((IMAGES[:12], np.eye(4)[LABELS]), "`test_data` must have a column"),
    ],
)
def test_further_images_that_are_not_alike_are_refused(data, expected):
    task = inspect_task(classifier(), LABELED, UNLABELED)
    assert task.check(None, "test_data") is None
    with pytest.raises(ValueError, match=expected):
        task.check(data, "test_data")


def test_files_stay_on_disk_and_some_are_looked_at(tmp_path):
    levels = (255 * IMAGES).astype("uint8")
    paths = [tmp_path / f"{number}.png" for number in range(30)]
    for path, image in zip(paths, levels, strict=True):
        keras.utils.save_img(path, image, scale=False)
    unlabeled = ImageFiles(paths[12:], (4, 5))
    task = inspect_task(classifier(), (levels[:12], LABELS), unlabeled)
    assert task.unlabeled.images is unlabeled
    assert (len(task.unlabeled), task.value_range) == (18, (0, 255))
    np.testing.assert_array_equal(task.sample, levels[12:])
    test = ImageFiles(paths[:3], (4, 5))
    images, labels = task.check((test, LABELS[:3]), "test_data")
    assert images is test
    np.testing.assert_array_equal(labels, np.eye(3))
    with pytest.raises(ValueError, match=r"like the labelled.*\(5, 5, 3\)"):
        task.check((ImageFiles(paths, 5), np.zeros(30)), "test_data")
