import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.models.standalone.checks import (
    check_outputs,
    check_same,
    checked_class_names,
    resolved_image_size,
    resolved_scores,
)
from keras_fewlabels.policies.parts import ClassScores, OneSigmoid, Sigmoids


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
    assert resolved_image_size(classifier(shape), given) == expected


@pytest.mark.parametrize("given", [(8, 6), (6, 8), 8, (8,), (8, 8.0), "88"])
def test_other_image_sizes_are_refused(given):
    with pytest.raises(ValueError, match=r"`image_size` must be.*Received"):
        resolved_image_size(classifier(), given)


@pytest.mark.parametrize(
    "names",
    [
        "ab",
        ["a", ""],
        ["a", 1],
        ["a", "b\nc"],
        ["a", "b\r"],
        ["a", "\udce9"],
        {"a", "b"},
    ],
)
def test_names_that_are_none(names):
    with pytest.raises(ValueError, match=r"(?s)list of strings.*Received"):
        checked_class_names(names)


def test_outputs_tell_logits_from_probabilities():
    logits = np.array([[0.2, 0.3], [2.0, -1.0]], "float32")
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for outputs, expected in ((logits, True), (probabilities, False)):
        found = resolved_scores(None, outputs, classifier())
        assert found == ClassScores(expected)
        found = resolved_scores(True, outputs, classifier())
        assert found == ClassScores(True)
    found = resolved_scores(False, probabilities, classifier())
    assert found == ClassScores(False)
    sigmoids = classifier(activation="sigmoid")
    assert resolved_scores(None, probabilities, sigmoids) == Sigmoids(False)
    with pytest.raises(ValueError, match=r"rows that sum to .0\.5"):
        resolved_scores(False, logits, classifier())


def test_outputs_of_no_classifier():
    with pytest.raises(ValueError, match="Received: 1 names for outputs"):
        check_outputs(np.array([[1.0, 2.0]]), ["a"], ClassScores(True))
    with pytest.raises(ValueError, match="the two classes of one sigmoid unit"):
        check_outputs(np.array([[1.0]]), ["a"], OneSigmoid(True))
    check_outputs(np.array([[1.0]]), ["a", "b"], OneSigmoid(True))


def test_a_copy_that_predicts_otherwise_is_refused():
    same = np.array([[0.25, 0.75]])
    logits = np.log(same) + 3
    check_same(classifier(), same + 1e-6, same, ClassScores(False))
    check_same(classifier(), same + 1e-6, logits, ClassScores(True))
    with pytest.raises(ValueError, match=r"predicts otherwise.*Received"):
        check_same(classifier(), same + 1e-3, same, ClassScores(False))
    half = keras.Sequential(
        [keras.Input((4,)), layers.Dense(2, dtype="float16")]
    )
    check_same(half, same + 1e-3, same, ClassScores(False))
