import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.measure import (
    examine,
    examine_decisions,
    examine_predictions,
    find_mistakes,
)
from keras_fewlabels.policies.parts import ClassScores, Sigmoids

PROBABILITIES = np.array(
    [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.05, 0.95]]
)


@pytest.mark.parametrize("kind", [np.asarray, keras.utils.to_categorical])
def test_the_surest_mistakes_come_first(kind):
    examined = find_mistakes(PROBABILITIES, kind([0, 1, 1, 0, 0]))
    assert examined["confusion"] == [[1, 2], [1, 1]]
    assert [each["index"] for each in examined["mistakes"]] == [4, 1, 3]
    assert examined["mistakes"][0] == {
        "index": 4,
        "true": 0,
        "predicted": 1,
        "confidence": 0.95,
    }


def test_there_may_be_none_or_many():
    right = PROBABILITIES.argmax(axis=1)
    assert find_mistakes(PROBABILITIES, right)["mistakes"] == []
    many = np.tile(PROBABILITIES, (10, 1))
    assert len(find_mistakes(many, 1 - np.tile(right, 10))["mistakes"]) == 20


def test_all_that_is_examined():
    found = examine(PROBABILITIES, np.array([0, 1, 1, 0, 0]))
    assert [each["recall"] for each in found["recalls"]] == [1 / 3, 0.5]
    assert found["calibration"]["accuracy"] == pytest.approx(0.4)
    assert {each["index"] for each in found["examples"]} == set(range(5))


# Of three images: yes and yes, no and no, no and yes.
YES = np.array([[0.9, 0.75], [0.2, 0.4], [0.45, 0.95]])


@pytest.mark.parametrize(
    "scores, expected",
    [(ClassScores(False), examine), (Sigmoids(False), examine_decisions)],
)
def test_predictions_of_each_kind_of_scores(scores, expected):
    labels = np.array([[1, 0], [0, 1], [0, 1]])
    found = examine_predictions(YES, labels, scores)
    assert found == expected(YES, labels)


def test_decisions_on_several_labels():
    found = examine_decisions(YES, np.array([[1, 0], [0, 0], [1.0, 1.0]]))
    # Not the first, the first, not the second, the second.
    assert found["confusion"] == [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 1, 1],
        [0, 0, 0, 1],
    ]
    assert [each["recall"] for each in found["recalls"]] == [0.5, 1.0]
    assert [each["num_images"] for each in found["recalls"]] == [2, 1]
    assert found["balanced_accuracy"] == np.mean([1, 0.5, 0.5, 1])
    assert found["mistakes"] == [
        {"index": 0, "true": 2, "predicted": 3, "confidence": 0.75},
        {"index": 2, "true": 1, "predicted": 0, "confidence": 0.55},
    ]
    assert len(found["examples"]) == 6
    assert {each["index"] for each in found["examples"]} == {0, 1, 2}
    calibration = found["calibration"]
    assert calibration["accuracy"] == pytest.approx(4 / 6)
    assert sum(each["num_images"] for each in calibration["bins"]) == 6


def test_a_label_that_no_image_has():
    found = examine_decisions(YES, np.array([[1, 0], [0, 0], [1, 0]]))
    assert found["recalls"][1]["recall"] is None
    assert found["balanced_accuracy"] == pytest.approx((1 + 0.5 + 1 / 3) / 3)
