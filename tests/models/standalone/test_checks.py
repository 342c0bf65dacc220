import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.models.standalone.checks import (
    check_class_names,
    check_same,
    checked_image_size,
    checked_probabilities,
)


def classifier(shape=(8, 8, 1), activation=None):
    inputs = keras.Input(shape)
    x = layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, layers.Dense(2, activation)(x))


@pytest.mark.parametrize(
    "shape, given, expected",
    [
        ((8, 6, 1), None, (8, 6)),
        ((8, 6, 1), [8, 6], (8, 6)),
        ((None, None, 1), (5, 4), (5, 4)),
        ((None, None, 1), None, None),
        ((8, None, 1), None, None),
    ],
)
def test_image_sizes(shape, given, expected):
    assert checked_image_size(classifier(shape), given) == expected


@pytest.mark.parametrize("given", [(8, 6), (6, 8), 8, (8,), (8, 8.0), "88"])
def test_other_image_sizes_are_refused(given):
    with pytest.raises(ValueError, match=r"`image_size` must be.*Received"):
        checked_image_size(classifier(), given)


@pytest.mark.parametrize(
    "names", ["ab", ["a", "a"], ["a", ""], ["a", 1], ["a", "b\nc"], {"a", "b"}]
)
def test_names_that_are_none(names):
    with pytest.raises(ValueError, match=r"(?s)list of strings.*Received"):
        check_class_names(names)


def test_outputs_tell_logits_from_probabilities():
    logits = np.array([[0.2, 0.3], [2.0, -1.0]], "float32")
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for outputs, expected in ((logits, True), (probabilities, False)):
        found, from_logits = checked_probabilities(
            outputs, ["a", "b"], None, classifier()
        )
        np.testing.assert_allclose(found, probabilities, atol=1e-6)
        assert from_logits is expected


@pytest.mark.parametrize(
    "outputs, names, from_logits, activation, message",
    [
        ([[1.0, 2.0]], ["a"], None, None, "1 names for outputs"),
        ([[1.0]], ["a"], None, None, "two or more classes"),
        ([[0.9, 0.8]], ["a", "b"], None, "sigmoid", "end it with a softmax"),
        ([[0.9, 0.8]], ["a", "b"], False, None, "sum to .1.7"),
    ],
)
def test_outputs_of_no_classifier(
    outputs, names, from_logits, activation, message
):
    with pytest.raises(ValueError, match=rf"(?s)Received.*{message}|{message}"):
        checked_probabilities(
            np.array(outputs),
            names,
            from_logits,
            classifier((8, 8, 1), activation),
        )


def test_a_copy_that_predicts_otherwise_is_refused():
    same = np.array([[0.25, 0.75]])
    check_same(classifier(), same + 1e-6, same)
    with pytest.raises(ValueError, match=r"predicts otherwise.*Received"):
        check_same(classifier(), same + 1e-3, same)
    half = keras.Sequential(
        [keras.Input((4,)), layers.Dense(2, dtype="float16")]
    )
    check_same(half, same + 1e-3, same)
