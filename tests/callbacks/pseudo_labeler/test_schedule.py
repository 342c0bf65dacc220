import numpy as np
import pytest

from keras_fewlabels.callbacks.pseudo_labeler.label_record import LabelRecord
from keras_fewlabels.callbacks.pseudo_labeler.schedule import LabelingSchedule


def due(schedule):
    return [epoch for epoch in range(10) if schedule.is_due(epoch)]


def test_when():
    assert due(LabelingSchedule(is_frozen=False, every=3)) == [3, 6, 9]
    assert due(LabelingSchedule(is_frozen=True, every=4)) == [0, 4, 8]
    assert due(LabelingSchedule(False, every=3, start=1)) == [1, 4, 7]


def test_how_much():
    shares = [
        LabelingSchedule(False, curriculum=0.4).share(n) for n in range(4)
    ]
    assert shares == pytest.approx([0.4, 0.8, 1, 1])
    assert LabelingSchedule(False).share(0) == 1


def reason(schedule, num_rounds, share, changed):
    record = LabelRecord(10)
    labels = np.where(np.arange(10) < 10 * share, 0, -1)
    for _ in range(num_rounds):
        record.add(0, labels, labels, np.ones(10), 1)
    return schedule.reason_to_stop(record, changed)


MODEL, TEACHER = LabelingSchedule(False), LabelingSchedule(True)
CURRICULUM = LabelingSchedule(False, curriculum=0.5)
TAUGHT_CURRICULUM = LabelingSchedule(True, curriculum=0.5)
CASES = {
    "labels still change": (MODEL, 3, 1.0, True, None),
    "nothing kept yet": (MODEL, 3, 0.0, False, None),
    "settled": (MODEL, 3, 0.5, False, "no_change"),
    "settled on all": (MODEL, 3, 1.0, False, "all_labeled"),
    "teacher": (TEACHER, 1, 0.5, True, "no_change"),
    "teacher, all": (TEACHER, 1, 1.0, True, "all_labeled"),
    "teacher, none": (TEACHER, 1, 0.0, False, "no_change"),
    "curriculum, half way": (CURRICULUM, 1, 0.5, False, None),
    "curriculum, whole": (CURRICULUM, 2, 1.0, True, "all_labeled"),
    "curriculum under a threshold": (CURRICULUM, 2, 0.8, True, None),
    "teacher, half way": (TAUGHT_CURRICULUM, 1, 0.5, True, None),
    "teacher, whole": (TAUGHT_CURRICULUM, 2, 0.9, True, "no_change"),
    "at most": (
        LabelingSchedule(False, max_rounds=2),
        2,
        0.5,
        True,
        "max_rounds",
    ),
    "not yet": (LabelingSchedule(False, max_rounds=2), 1, 0.5, True, None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_why_it_stops(case):
    *arguments, expected = case
    assert reason(*arguments) == expected
