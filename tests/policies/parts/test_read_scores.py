import functools

import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.models import NoisyStudentModel
from keras_fewlabels.policies.parts import (
    ClassScores,
    OneSigmoid,
    Sigmoids,
    check_class_scores,
    check_one_class,
    num_several_labels,
    scores_of,
    scores_of_loss,
)

losses = keras.losses


class OwnLoss(losses.SparseCategoricalCrossentropy):
    pass


@pytest.mark.parametrize(
    "loss, from_logits, sparse",
    [
        ("sparse_categorical_crossentropy", False, True),
        ("categorical_crossentropy", False, False),
        ("SparseCategoricalCrossentropy", False, True),
        ("CategoricalFocalCrossentropy", False, False),
        (losses.sparse_categorical_crossentropy, False, True),
        (losses.SparseCategoricalCrossentropy(from_logits=True), True, True),
        (losses.CategoricalCrossentropy(label_smoothing=0.1), False, False),
        (losses.CategoricalCrossentropy(from_logits=True), True, False),
        (losses.CategoricalFocalCrossentropy(from_logits=True), True, False),
        (losses.CategoricalCrossentropy, False, False),
        (losses.categorical_focal_crossentropy, False, False),
        # A name says nothing of what the loss reads.
        (losses.SparseCategoricalCrossentropy(name="flowers"), False, True),
        (losses.CategoricalCrossentropy(name="sparse_labels"), False, False),
        (OwnLoss(from_logits=True), True, True),
    ],
)
def test_losses_of_one_softmax(loss, from_logits, sparse):
    assert scores_of_loss(loss, 3) == ClassScores(from_logits, sparse)


class OwnSigmoidLoss(losses.BinaryCrossentropy):
    pass


@pytest.mark.parametrize(
    "loss, from_logits",
    [
        ("binary_crossentropy", False),
        ("bce", False),
        ("BinaryCrossentropy", False),
        (losses.BinaryCrossentropy, False),
        (losses.binary_focal_crossentropy, False),
        (losses.BinaryCrossentropy(from_logits=True), True),
        (losses.BinaryFocalCrossentropy(from_logits=True), True),
        (OwnSigmoidLoss(from_logits=True), True),
    ],
)
def test_losses_of_sigmoids_are_no_softmax(loss, from_logits):
    assert scores_of_loss(loss, 1) == OneSigmoid(from_logits)
    assert scores_of_loss(loss, 3) == Sigmoids(from_logits)
    assert scores_of_loss(loss, 1) != ClassScores(from_logits)
    # And they are none in an evaluation, whatever the outputs look like.
    model = linear()
    model.compile(loss=loss)
    outputs = np.array([[0.25, 0.75], [0.5, 0.5]])
    assert scores_of(outputs, model) == Sigmoids(from_logits)


def categorical_crossentropy(y_true, y_pred):
    """A loss of the user that only has the name of one of Keras."""
    return keras.ops.mean(y_true * y_pred)


OF_KERAS = [
    "mse",
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
        functools.partial(losses.binary_crossentropy, from_logits=True),
        [losses.CategoricalCrossentropy(from_logits=True)],
        {"scores": "categorical_crossentropy"},
        None,
    ],
)
def test_other_losses_are_refused(loss):
    for num_outputs in (1, 3):
        with pytest.raises(ValueError, match="categorical cross-entropy"):
            scores_of_loss(loss, num_outputs)


def linear():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])


@pytest.mark.parametrize("loss", OF_KERAS)
def test_scores_that_another_loss_reads_are_no_logits(loss):
    model = linear()
    model.compile(loss=loss)
    outputs = np.array([[2.0, -5.0]])
    with pytest.raises(ValueError, match=r"teacher .* does not read them by a"):
        scores_of(outputs, model, "teacher")
    # The highest of them is the class, in whatever way they were learned.
    assert scores_of(outputs, model, only_ranked=True) == ClassScores(False)
    # Probabilities are what they are, whatever the loss.
    assert scores_of(np.array([[0.25, 0.75]]), model) == ClassScores(False)


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
    assert scores_of(outputs, model) == ClassScores(not expected)
    model.compile(loss=lambda y_true, y_pred: 0.0)
    assert scores_of(outputs, model) == ClassScores(not expected)
    if expected:
        check_class_scores(outputs, ClassScores(False), "student")
    else:
        with pytest.raises(ValueError, match="student needs `activation='soft"):
            check_class_scores(outputs, ClassScores(False), "student")


@pytest.mark.parametrize("outputs", [[[0.25, 0.70]], [[0.5, 0.0]]])
def test_outputs_that_could_be_either_are_refused(outputs):
    for model in (None, keras.Sequential([linear(), layers.Identity()])):
        with pytest.raises(ValueError, match=r"may be logits, or prob.*sum to"):
            scores_of(np.array(outputs), model)
    assert scores_of(np.array(outputs) - 1) == ClassScores(True)


@pytest.mark.parametrize(
    "end",
    [
        layers.Dense(3, activation="sigmoid", name="end"),
        layers.Activation("sigmoid"),
        keras.ops.sigmoid,
        keras.Sequential([layers.Dense(3), layers.Activation("sigmoid")]),
    ],
    ids=["dense", "activation", "operation", "nested"],
)
def test_the_last_activation_tells_sigmoids(end):
    images = keras.Input((3,))
    model = keras.Model(images, end(layers.Dense(3)(images)))
    assert scores_of(np.full((2, 3), 0.25), model) == Sigmoids(False)
    # Also where the rows happen to sum to 1.
    assert scores_of(np.full((2, 3), 1 / 3), model) == Sigmoids(False)


def of_outputs(count, activation=None, loss=None):
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(count, activation)]
    )
    if loss is not None:
        model.compile(loss=loss)
    return model


@pytest.mark.parametrize(
    "model, expected",
    [
        (lambda: of_outputs(3, "sigmoid"), 3),
        (lambda: of_outputs(3, None, "binary_crossentropy"), 3),
        (lambda: of_outputs(3, "sigmoid", lambda y, p: 0.0), 3),
        # The loss tells before the layers do.
        (lambda: of_outputs(3, "sigmoid", "categorical_crossentropy"), None),
        (lambda: of_outputs(3, "softmax", "binary_crossentropy"), None),
        (lambda: of_outputs(3, "softmax"), None),
        (lambda: of_outputs(3), None),
        (lambda: of_outputs(1, "sigmoid"), None),
    ],
)
def test_several_labels_are_known_before_anything_is_predicted(model, expected):
    model = model()
    assert num_several_labels(model) == expected
    # Outputs that could be those of a softmax or of sigmoids.
    outputs = np.full((2, model.output_shape[1]), 1 / 3)
    is_several = isinstance(scores_of(outputs, model), Sigmoids)
    assert is_several == (expected is not None)


def test_the_loss_of_a_method_tells_of_its_student():
    student = keras.Sequential(
        [keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(3)]
    )
    model = NoisyStudentModel(student)
    assert num_several_labels(model) is None
    model.compile("sgd", losses.BinaryCrossentropy(from_logits=True))
    assert num_several_labels(model) == 3


def test_a_model_that_does_not_tell_its_outputs():
    class Subclassed(keras.Model):
        def call(self, images):
            return images

    model = Subclassed()
    assert num_several_labels(model) is None
    check_one_class(model, "This")
    with pytest.raises(ValueError, match=r"This needs a.*one output at a time"):
        check_one_class(of_outputs(3, "sigmoid"), "This")


def test_one_output_is_that_of_two_classes():
    sigmoid = keras.Sequential([keras.Input((2,)), layers.Dense(1, "sigmoid")])
    logits = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    outputs = np.array([[0.25], [0.5]])
    assert scores_of(outputs, sigmoid) == OneSigmoid(False)
    assert scores_of(outputs, logits) == OneSigmoid(True)
    assert scores_of(outputs) == OneSigmoid(False)
    assert scores_of(outputs - 1) == OneSigmoid(True)


def test_the_loss_tells_before_the_outputs_do():
    model = linear()
    probabilities, scores = np.array([[0.5, 0.5]]), np.array([[2.0, 1.0]])
    model.compile(loss=losses.CategoricalCrossentropy(from_logits=True))
    assert scores_of(probabilities, model) == ClassScores(True)
    assert scores_of(scores, model) == ClassScores(True)
    model.compile(loss="categorical_crossentropy")
    assert scores_of(probabilities, model) == ClassScores(False)
    with pytest.raises(ValueError, match="last layer of the teacher needs"):
        scores_of(scores, model, "teacher")
