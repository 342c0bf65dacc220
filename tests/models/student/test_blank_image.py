import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.models.student.blank_image import (
    debiased_copy,
    predict_beside_blank,
)
from keras_fewlabels.policies.parts import ClassScores, OneSigmoid, Sigmoids

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (7, 2, 3, 1), "uint8")
KERNEL = RANDOM.normal(size=(6, 3)).astype("float32") / 255
BIAS = np.array([2, -1, 0.5], "float32")


def classifier(activation=None, tail=(), use_bias=True):
    model = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation=activation, use_bias=use_bias),
            *tail,
        ]
    )
    model.set_weights([KERNEL, BIAS][: 1 + use_bias])
    return model


def by_hand(from_logits):
    """Equations 5 and 6 of CDMAD: logits less those of a white image."""
    flat = IMAGES.reshape(7, 6).astype("float64")
    logits, blank = (x @ KERNEL + BIAS for x in (flat, np.full((1, 6), 255.0)))
    powers = np.exp(logits - blank)
    return logits - blank if from_logits else powers / powers.sum(1)[:, None]


@pytest.mark.parametrize("from_logits", [True, False])
def test_logits_of_a_blank_image_are_subtracted(from_logits):
    model = classifier(None if from_logits else "softmax")
    outputs = predict_beside_blank(
        model, ops.convert_to_tensor(IMAGES), 255, ClassScores(from_logits)
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs), by_hand(from_logits), rtol=1e-3
    )


@pytest.mark.parametrize(
    "make, from_logits",
    [
        (classifier, True),
        (lambda: classifier("softmax"), False),
        (lambda: classifier(tail=[keras.layers.Softmax()]), False),
        (lambda: classifier(tail=[keras.layers.Activation("linear")]), True),
    ],
)
def test_a_debiased_copy_predicts_the_same(make, from_logits):
    model = make()
    copy = debiased_copy(model, 255, ClassScores(from_logits))
    np.testing.assert_allclose(
        ops.convert_to_numpy(copy(IMAGES)), by_hand(from_logits), rtol=1e-3
    )
    np.testing.assert_array_equal(model.get_weights()[1], BIAS)


def test_small_probabilities_tell_as_much_as_their_logits():
    model, of_logits = classifier("softmax"), classifier()
    for each in (model, of_logits):
        each.set_weights([KERNEL * 20, BIAS * 20])
    assert model.predict(IMAGES, verbose=0).min() < 1e-9
    found, expected = (
        ops.convert_to_numpy(
            predict_beside_blank(
                each, ops.convert_to_tensor(IMAGES), 255, ClassScores(logits)
            )
        )
        for each, logits in ((model, False), (of_logits, True))
    )
    np.testing.assert_array_equal(found.argmax(1), expected.argmax(1))
    copy = debiased_copy(model, 255, ClassScores(False))
    np.testing.assert_allclose(
        ops.convert_to_numpy(copy(IMAGES)), found, rtol=1e-2, atol=1e-6
    )


@pytest.mark.parametrize("kind", [OneSigmoid, Sigmoids])
@pytest.mark.parametrize("from_logits", [True, False])
def test_logits_of_sigmoids_are_subtracted(kind, from_logits):
    model = classifier(None if from_logits else "sigmoid")
    scores = kind(from_logits)
    expected = by_hand(from_logits=True)
    if not from_logits:
        expected = 1 / (1 + np.exp(-expected))
    images = ops.convert_to_tensor(IMAGES)
    for outputs in (
        predict_beside_blank(model, images, 255, scores),
        debiased_copy(model, 255, scores)(IMAGES),
    ):
        outputs = ops.convert_to_numpy(outputs)
        np.testing.assert_allclose(outputs, expected, rtol=2e-3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: classifier(use_bias=False),
        lambda: classifier(tail=[keras.layers.LeakyReLU()]),
    ],
)
def test_students_that_do_not_end_with_a_dense_layer_are_refused(make):
    with pytest.raises(ValueError, match="must end with one"):
        debiased_copy(make(), 255, ClassScores(True))
