import functools

import keras
import numpy as np
import pytest

from keras_fewlabels.policies.parts.class_probabilities import (
    check_class_scores,
    class_probabilities,
    gives_logits,
    reads_class_numbers,
    reads_logits,
)

losses = keras.losses


@pytest.mark.parametrize(
    "loss, expected",
    [
        ("sparse_categorical_crossentropy", False),
        ("categorical_crossentropy", False),
        ("SparseCategoricalCrossentropy", False),
        ("CategoricalFocalCrossentropy", False),
        (losses.sparse_categorical_crossentropy, False),
        (losses.SparseCategoricalCrossentropy(from_logits=True), True),
        (losses.CategoricalCrossentropy(label_smoothing=0.1), False),
        (losses.CategoricalCrossentropy(from_logits=True), True),
        (losses.CategoricalFocalCrossentropy(from_logits=True), True),
        (losses.CategoricalCrossentropy, False),
        (losses.categorical_focal_crossentropy, False),
    ],
)
def test_reads_logits(loss, expected):
    assert reads_logits(loss) is expected


class OwnLoss(losses.SparseCategoricalCrossentropy):
    pass


@pytest.mark.parametrize(
    "loss, expected",
    [
        ("sparse_categorical_crossentropy", True),
        ("SparseCategoricalCrossentropy", True),
        ("categorical_crossentropy", False),
        ("CategoricalCrossentropy", False),
        (losses.sparse_categorical_crossentropy, True),
        (losses.categorical_crossentropy, False),
        # A name says nothing of what the loss reads.
        (losses.SparseCategoricalCrossentropy(name="flowers"), True),
        (losses.CategoricalCrossentropy(name="sparse_labels"), False),
        (OwnLoss(from_logits=True), True),
    ],
)
def test_reads_class_numbers(loss, expected):
    assert reads_class_numbers(loss) is expected


def categorical_crossentropy(y_true, y_pred):
    """A loss of the user that only has the name of one of Keras."""
    return keras.ops.mean(y_true * y_pred)


class OwnSigmoidLoss(losses.BinaryCrossentropy):
    pass


OF_KERAS = [
    "mse",
    "bce",
    "binary_crossentropy",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    losses.binary_crossentropy,
    losses.binary_focal_crossentropy,
    losses.BinaryCrossentropy,
    losses.BinaryCrossentropy(),
    losses.BinaryCrossentropy(from_logits=True),
    losses.BinaryFocalCrossentropy(from_logits=True),
    OwnSigmoidLoss(from_logits=True),
    losses.MeanSquaredError(),
    losses.Hinge(),
    "categorical_hinge",
    losses.KLDivergence(),
]


@pytest.mark.parametrize(
    "loss",
    [
        *OF_KERAS,
        lambda y_true, y_pred: 0.0,
        categorical_crossentropy,
        functools.partial(losses.categorical_crossentropy, from_logits=True),
        [losses.CategoricalCrossentropy(from_logits=True)],
        {"scores": "categorical_crossentropy"},
        None,
    ],
)
def test_other_losses_are_refused(loss):
    for read in (reads_logits, reads_class_numbers):
        with pytest.raises(ValueError, match="categorical cross-entropy"):
            read(loss)


def linear():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])


@pytest.mark.parametrize("loss", OF_KERAS)
def test_scores_that_another_loss_reads_are_no_logits(loss):
    model = linear()
    model.compile(loss=loss)
    with pytest.raises(ValueError, match=r"teacher .* does not read them by a"):
        gives_logits(np.array([[2.0, -5.0]]), model, "teacher")
    # Probabilities are what they are, whatever the loss.
    assert gives_logits(np.array([[0.25, 0.75]]), model) is False


def test_probabilities_for_a_loss_that_takes_logits_are_refused():
    outputs = np.array([[0.25, 0.75], [0.5, 0.5]])
    with pytest.raises(ValueError, match="expects logits, but the teacher"):
        check_class_scores(outputs, True, "teacher", is_own_loss=False)
    # A model that learned by the loss gives what the loss says.
    check_class_scores(outputs, True, "student")
    assert check_class_scores(outputs, None, "student").dtype == "float32"
    assert check_class_scores(2 * outputs, True, "student").shape == (2, 2)


@pytest.mark.parametrize(
    "outputs, message",
    [
        ({"a": np.ones((2, 3))}, "one output.*'a'"),
        ([np.ones((2, 3)), np.ones((2, 4))], "one output"),
        (np.ones((2, 3, 3)), r"one row of class scores.*\(2, 3, 3\)"),
        (np.ones((2, 1)), "two outputs and a softmax"),
    ],
    ids=["dict", "list", "maps", "one class"],
)
def test_outputs_that_are_no_class_scores(outputs, message):
    with pytest.raises(ValueError, match=message):
        check_class_scores(outputs, True, "student")


def test_class_probabilities():
    logits = np.log([[1.0, 3.0, 4.0]]).astype("float16")
    probabilities = class_probabilities(logits, from_logits=True)
    assert keras.backend.standardize_dtype(probabilities.dtype) == "float32"
    np.testing.assert_allclose(probabilities, [[1 / 8, 3 / 8, 0.5]], rtol=1e-3)
    same = class_probabilities(np.array([[0.25, 0.75]]), from_logits=False)
    np.testing.assert_allclose(same, [[0.25, 0.75]])


@pytest.mark.parametrize(
    "outputs, expected",
    [
        ([[0.25, 0.75], [1.0, 0.0]], True),
        (np.full((3, 1000), 1e-3, "float16"), True),
        ([[0.25, 0.755]], True),
        ([[0.25, 0.70]], False),
        ([[0.25, 0.75], [0.5, 0.75]], False),
        ([[1.25, -0.25]], False),
        ([[0.0, 0.0]], False),
        ([[float("nan"), 1.0]], False),
    ],
)
def test_outputs_tell_where_no_loss_does(outputs, expected):
    outputs = np.asarray(outputs)
    model = linear()
    assert gives_logits(outputs, model) is not expected
    model.compile(loss=lambda y_true, y_pred: 0.0)
    assert gives_logits(outputs, model) is not expected
    assert gives_logits(outputs) is not expected
    if expected:
        check_class_scores(outputs, False, "student")
    else:
        with pytest.raises(ValueError, match="student needs `activation='soft"):
            check_class_scores(outputs, False, "student")


def test_the_loss_tells_before_the_outputs_do():
    model = linear()
    probabilities, scores = np.array([[0.5, 0.5]]), np.array([[2.0, 1.0]])
    model.compile(loss=losses.CategoricalCrossentropy(from_logits=True))
    assert gives_logits(probabilities, model) is True
    assert gives_logits(scores, model) is True
    model.compile(loss="categorical_crossentropy")
    assert gives_logits(probabilities, model) is False
    with pytest.raises(ValueError, match="last layer of the teacher needs"):
        gives_logits(scores, model, "teacher")
