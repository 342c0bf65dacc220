import numpy as np
import pytest

from keras_fewlabels.callbacks.pseudo_labeler.label_record import LabelRecord

ROUNDS = [
    # Labels, the most probable classes, and whether anything changed.
    ([-1, 2, -1, 0], [1, 2, 0, 0], True),
    ([1, 2, -1, -1], [1, 2, 0, 0], True),
    ([1, 0, -1, 2], [1, 0, 0, 2], True),
    ([1, 0, -1, 2], [1, 0, 0, 2], False),
    ([1, 0, -1, 2], [1, 0, 1, 2], True),
]
CONFIDENCE = np.array([0.4, 0.9, 0.3, 0.8], "float32")


def recorded(num_rounds=None, truth=None):
    record = LabelRecord(4, truth)
    for epoch, (labels, predicted, _) in enumerate(ROUNDS[:num_rounds]):
        record.add(
            3 + epoch, np.array(labels), np.array(predicted), CONFIDENCE, 3
        )
    return record


def test_every_image_has_a_history():
    record = LabelRecord(4)
    assert record.share() == 0
    assert np.isnan(record.confidence).all()
    for epoch, (labels, predicted, changed) in enumerate(ROUNDS):
        answer = record.add(
            epoch, np.array(labels), np.array(predicted), CONFIDENCE, 3
        )
        assert answer is changed
    assert record.labels.tolist() == [1, 0, -1, 2]
    assert record.first_kept.tolist() == [1, 0, -1, 0]
    # The last image had class 0, then none, then class 2.
    assert record.num_changes.tolist() == [0, 1, 0, 1]


def test_every_round_has_a_record():
    record = recorded(3, truth=np.array([1, 1, 1, 2]))
    assert record.rounds == [
        {
            "epoch": 3,
            "kept": 2,
            "share": 0.5,
            "changes": 0,
            "class_counts": [1, 0, 1],
            "accuracy": 0.0,
        },
        {
            "epoch": 4,
            "kept": 2,
            "share": 0.5,
            "changes": 0,
            "class_counts": [0, 1, 1],
            "accuracy": 0.5,
        },
        {
            "epoch": 5,
            "kept": 3,
            "share": 0.75,
            "changes": 2,
            "class_counts": [1, 1, 1],
            "accuracy": pytest.approx(2 / 3),
        },
    ]
    assert np.isnan(LabelRecord(4, np.zeros(4)).accuracy())


def test_several_labels_have_a_history_each():
    truth = np.array([[1, 0], [0, 1]])
    record = LabelRecord(2, truth, num_labels=2)
    assert record.num_labeled() == 0
    assert record.any_label().tolist() == [-1, -1]
    confidence = np.full((2, 2), 0.75, "float32")
    for labels in ([[1, -1], [-1, -1]], [[0, 0], [-1, 1]]):
        record.add(0, np.array(labels), np.array(labels), confidence, 2)
    assert record.num_labeled() == 1
    assert record.any_label().tolist() == [0, 1]
    assert record.first_kept.tolist() == [[0, 1], [-1, 1]]
    assert record.num_changes.tolist() == [[1, 0], [0, 0]]
    assert record.rounds[1] == {
        "epoch": 0,
        "kept": 3,
        "share": 0.75,
        "changes": 1,
        "class_counts": [0, 1],
        "accuracy": pytest.approx(2 / 3),
    }
    assert record.summary() == (
        "3 of 4 labels are sure (75.0%), 1 of them another than before"
    )
    columns = record.columns()
    assert columns["label_1"].tolist() == [0, 1]
    assert columns["truth_0"].tolist() == [1, 0]
    assert {column.shape for column in columns.values()} == {(2,)}


def test_a_restored_record_continues_like_the_original():
    whole, first = recorded(), recorded(2)
    first.stopped = "max_rounds"
    second = LabelRecord(4)
    second.restore(first.state())
    assert second.stopped == "max_rounds"
    for epoch, (labels, predicted, _) in enumerate(ROUNDS[2:]):
        second.add(
            5 + epoch, np.array(labels), np.array(predicted), CONFIDENCE, 3
        )
    assert second.rounds == whole.rounds
    for name in ("labels", "predicted", "first_kept", "num_changes"):
        np.testing.assert_array_equal(
            getattr(second, name), getattr(whole, name)
        )


def test_tens_of_thousands_of_rounds_are_counted():
    record = LabelRecord(2)
    labels = np.array([[0, -1], [1, -1]])
    for number in range(33_000):
        kept = labels[number % 2]
        record.add(number, kept, kept, CONFIDENCE[:2], 2)
    record.add(33_000, np.array([0, 1]), np.array([0, 1]), CONFIDENCE[:2], 2)
    assert record.num_changes.tolist() == [33_000, 0]
    assert record.first_kept.tolist() == [0, 33_000]
