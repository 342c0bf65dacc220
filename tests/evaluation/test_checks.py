import keras
import numpy as np
import pytest

from keras_fewlabels.evaluation.checks import (
    check_model,
    check_run,
    check_scores,
    checked_images,
    checked_label_rows,
    checked_pseudo_labels,
)
from keras_fewlabels.policies.parts import ClassScores, Sigmoids

IMAGES = np.full((2, 32, 32, 3), 9, "uint8")
FLOATS = IMAGES.astype("float32")


def with_value(value):
    images = FLOATS.copy()
    images[1, 2, 3] = value
    return images


def test_value_range_of_images():
    for images, given, expected in [
        (IMAGES, None, (0, 255)),
        (FLOATS, None, (0, 255)),
        (FLOATS / 9, None, (0, 1)),
        (FLOATS[..., :1], (-10, 10), (-10, 10)),
    ]:
        array, value_range = checked_images(images, given)
        assert array is images
        assert value_range == expected
    array, _ = checked_images(keras.ops.array(FLOATS), None)
    assert isinstance(array, np.ndarray)


@pytest.mark.parametrize(
    "images, value_range, message",
    [
        (IMAGES[0], None, r"`x` must have shape.*shape=\(32, 32, 3\)"),
        (IMAGES[:0], None, r"at least one image.*\(0, 32, 32, 3\)"),
        (IMAGES.astype(int), None, r"uint8 or floats.*dtype=int64"),
        (IMAGES > 3, None, r"uint8 or floats.*dtype=bool"),
        ((x for x in IMAGES), None, r"uint8 or floats.*type generator"),
        ("folder", None, r"uint8 or floats.*type str"),
        (FLOATS * 99, None, r"`value_range=\(black, white\)`.*to 891"),
        (FLOATS, (1, 0), r"black and white, the lower one.*=\(1, 0\)"),
        (FLOATS, (0, 1), r"must lie in the value range.*maximum=9.0"),
        (FLOATS / 9, (0, 255), r"looks scaled to \(0, 1\)"),
        (with_value(np.nan), (0, 255), r"finite.*minimum=nan"),
        (with_value(np.inf), None, r"finite.*maximum=inf"),
        (IMAGES[:, :31], None, r"32 pixels or larger.*\(2, 31, 32, 3\)"),
        (IMAGES[..., :2], None, r"1 or 3 channels.*\(2, 32, 32, 2\)"),
    ],
)
def test_wrong_images(images, value_range, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        checked_images(images, value_range)


def classifier(units=3):
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(units),
        ]
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("model", 1, 0), "`model` must be a `keras.Model`.*model='model'"),
        ((None, 0, 0), "`batch_size` must be an int, 1 or .*size=0"),
        ((None, 1.5, 0), "`batch_size` must be an int.*size=1.5"),
        ((None, 1, -1), "`seed` must be an int, 0 or more.*seed=-1"),
    ],
)
def test_wrong_run(arguments, message):
    model, batch_size, seed = arguments
    with pytest.raises(ValueError, match=message):
        check_run(model or classifier(), batch_size, seed)


def test_number_of_classes():
    assert check_model(classifier(3), FLOATS)[1] == 3
    # One sigmoid unit tells two classes apart.
    assert check_model(classifier(1), FLOATS)[1] == 2


@pytest.mark.parametrize(
    "scores, message",
    [
        (np.zeros((2, 4, 4, 3)), r"shape=\(2, 4, 4, 3\) for 2 images"),
        (np.zeros((4, 3)), r"\(batch, num_classes\).*shape=\(4, 3\) for 2"),
        ([np.zeros((2, 3))], "Received: list for 2 images"),
        ({"classes": np.zeros((2, 3))}, "Received: dict for 2 images"),
        (np.full((2, 3), np.nan), "finite scores.*6 scores that are not"),
    ],
)
def test_wrong_scores(scores, message):
    check_scores(np.zeros((2, 3)), 2)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        check_scores(scores, 2)


def test_labels_become_rows():
    rows = [[0, 0, 1], [1, 0, 0]]
    for labels in ([2, 0], rows, [[0.1, 0.3, 0.6], [0.5, 0.25, 0.25]]):
        labels = np.array(labels)
        found = checked_label_rows(labels, "labels", ClassScores(True), 3)
        assert found.tolist() == rows and found.dtype == "float32"
    several = np.array([[0, 1, 1], [0, 0, 0]])
    found = checked_label_rows(several, "labels", Sigmoids(True), 3)
    assert found.tolist() == several.tolist() and found.dtype == "float32"
    with pytest.raises(ValueError, match=r"`labels` must .* column for each"):
        checked_label_rows(np.arange(3), "labels", Sigmoids(True), 3)


def test_labels_are_an_array_or_none():
    assert checked_pseudo_labels([0, -1, 2], 3).tolist() == [0, -1, 2]
    assert checked_pseudo_labels(None, 3) is None
    several = [[0, 1], [-1, -1], [1, -1]]
    assert checked_pseudo_labels(several, 3, 2).tolist() == several


@pytest.mark.parametrize("labels, message", [
    ([0, 1], "a class per image.*for 3 images"),
    ([0, 1, -2], "-1 where there is none"),
    ([0.0, 1, 2], "dtype=float64"),
    (np.full(3, -1), "must hold one label or more"),
])  # fmt: skip
def test_other_arrays_than_pseudo_labels_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        checked_pseudo_labels(labels, 3)
