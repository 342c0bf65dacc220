import warnings

import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.callbacks.pseudo_labeler.label_pass import LabelPass
from keras_fewlabels.callbacks.pseudo_labeler.label_record import LabelRecord
from keras_fewlabels.callbacks.pseudo_labeler.labeling_rounds import (
    LabelingRounds,
    LabelingSchedule,
)
from keras_fewlabels.callbacks.pseudo_labeler.workers import OnlyWorker
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold
from keras_fewlabels.policies.parts import ClassScores, Sigmoids

IMAGES = np.random.default_rng(0).normal(size=(40, 2, 2, 1)).astype("float32")


class Model:
    """Gives other probabilities in every round."""

    def __init__(self, number=0):
        self.number = number
        self.num_passes = 0

    @property
    def weights(self):
        return [np.array(self.number)]

    def predict(self, images, batch_size, verbose):
        self.num_passes += 1
        random = np.random.default_rng(self.number)
        return random.dirichlet([2, 1, 1], len(images)).astype("float32")


def make(store=None, is_frozen=False, balance=None, images=IMAGES, **schedule):
    policy = DistributionAlignment(FixedThreshold(0.5), momentum=0.5)
    policy.build((None, 3))
    return LabelingRounds(
        image_source(images),
        policy,
        LabelingSchedule(is_frozen, **schedule),
        balance=balance,
        seed=3,
        store=store,
    )


def label(rounds, epoch, model=None):
    label_pass = LabelPass(
        rounds.source,
        OnlyWorker(Model(epoch) if model is None else model),
        rounds.policy,
        scores=ClassScores(False),
        num_classes=3,
        batch_size=64,
        store=rounds.store,
    )
    rounds.label(epoch, label_pass)


def go(rounds, epochs):
    for epoch in epochs:
        label(rounds, epoch)
    return rounds


def test_curriculum_keeps_a_growing_share_of_the_most_confident():
    rounds = make(is_frozen=True, curriculum=0.2)
    model = Model()
    for number in range(4):
        label(rounds, number, model)
        record = rounds.record
        kept = record.labels >= 0
        assert kept.sum() <= 8 * (number + 1)
        top = np.argsort(-record.confidence)[: 8 * (number + 1)]
        assert set(np.flatnonzero(kept)) <= set(top)
    # A frozen teacher is asked once.
    assert model.num_passes == 1
    assert len(rounds.record.rounds) == 4


def of_several_labels(store=None):
    return LabelingRounds(
        image_source(IMAGES),
        FixedThreshold(0.0),
        LabelingSchedule(is_frozen=True, curriculum=0.5),
        num_labels=3,
        store=store,
        vetoed=[7],
    )


def label_several(rounds, epoch):
    label_pass = LabelPass(
        rounds.source,
        OnlyWorker(Model()),
        rounds.policy,
        scores=Sigmoids(False),
        num_classes=3,
        batch_size=64,
        store=rounds.store,
    )
    rounds.label(epoch, label_pass)


def test_curriculum_is_that_of_each_of_several_labels(tmp_path):
    rounds = of_several_labels(ArrayStore(tmp_path))
    label_several(rounds, 0)
    record = rounds.record
    kept = record.labels >= 0
    for number in range(3):
        top = np.argsort(-record.confidence[:, number], kind="stable")[:20]
        expected = set(top) - {7}
        assert set(np.flatnonzero(kept[:, number])) == expected
    assert 1 < len(record.chosen) == kept.any(axis=1).sum() < 40
    assert record.stopped is None
    label_several(rounds, 1)
    assert (np.delete(record.labels, 7, axis=0) >= 0).all()
    assert (record.labels[7] == -1).all()
    assert record.stopped == "all_labeled"
    resumed = of_several_labels(ArrayStore(tmp_path))
    assert resumed.resume(1)
    np.testing.assert_array_equal(resumed.record.labels >= 0, kept)


def test_a_killed_fit_restores_its_rounds(tmp_path):
    whole = go(make(ArrayStore(tmp_path / "whole"), balance="repeat"), range(4))
    store = ArrayStore(tmp_path / "resumed")
    # The second process was killed after the round of epoch 2.
    go(make(store, balance="repeat"), range(3))
    resumed = make(store, balance="repeat")
    assert resumed.resume(2)
    assert [each["epoch"] for each in resumed.record.rounds] == [0, 1]
    go(resumed, range(2, 4))
    assert resumed.record.rounds == whole.record.rounds
    np.testing.assert_array_equal(resumed.record.chosen, whole.record.chosen)
    np.testing.assert_array_equal(
        resumed.record.confidence, whole.record.confidence
    )
    for one, other in zip(
        resumed.policy.variables, whole.policy.variables, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_complete_pass_is_not_repeated(tmp_path):
    store = ArrayStore(tmp_path)
    label(make(store), 0)
    again = Model(0)
    label(make(store), 0, again)
    assert again.num_passes == 0
    # Only the files of the last round stay.
    label(make(store), 1)
    assert len(store.names("labels_")) == 1


def test_a_new_fit_forgets_the_rounds_of_an_older_one(tmp_path):
    store = ArrayStore(tmp_path)
    for epoch in range(3):
        label(make(store), epoch)
    assert make(store).resume(0)
    assert store.names("round_") == []


def test_rounds_of_other_settings_are_not_used(tmp_path):
    store = ArrayStore(tmp_path)
    label(make(store, every=1), 1)
    other = make(store, every=2, start=0)
    with pytest.warns(UserWarning, match="goes on at epoch 2.*`cache_dir`"):
        assert not other.resume(2)
    assert other.record.rounds == []


def test_missing_rounds_are_repeated_or_named():
    with pytest.warns(UserWarning, match="goes on at epoch 4"):
        assert not make(every=2).resume(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A teacher will give the same labels again.
        assert not make(is_frozen=True).resume(4)
        # There was no round before.
        assert make(every=2).resume(2)
        assert make().resume(0)


def test_rounds_of_other_images_are_not_used(tmp_path):
    store = ArrayStore(tmp_path)
    label(make(store), 1)
    other = IMAGES.copy()
    # A single value of an image in the middle.
    other[23, 1, 0, 0] += 1
    with pytest.warns(UserWarning, match="goes on at epoch 2"):
        assert not make(store, images=other).resume(2)
    assert make(store).resume(2)


def test_unfinished_files_of_a_killed_fit_are_removed(tmp_path):
    store = ArrayStore(tmp_path)
    label(make(store), 1)
    (tmp_path / ".unfinished-fewlabels-abc").mkdir()
    assert make(store).resume(2)
    assert all(path.name[0] != "." for path in tmp_path.iterdir())


def test_the_last_rounds_stay(tmp_path):
    store = ArrayStore(tmp_path)
    rounds = make(store)
    go(rounds, range(20))
    # An unfinished epoch, and the two backups before it.
    assert len(store.names("round_")) == 3
    for epoch in (18, 19, 20):
        assert make(store).resume(epoch)


LAYOUTS = {
    "no epoch": lambda state: state.pop("epoch"),
    "no labels": lambda state: state.pop("labels"),
    "short": lambda state: state.update(labels=state["labels"][1:]),
    "float": lambda state: state.update(predicted=state["confidence"]),
    "no policy": lambda state: state.pop("policy_0"),
    "nested": lambda state: state.update(history=np.array("[" * 100_000)),
    "null": lambda state: state.update(history=np.array("null")),
}


@pytest.mark.parametrize("change", LAYOUTS.values(), ids=LAYOUTS)
def test_rounds_of_another_layout_are_named(tmp_path, change):
    store = ArrayStore(tmp_path)
    rounds = make(store)
    go(rounds, [1])
    (name,) = store.names("round_")
    state = store.read(name, rounds._settings)
    change(state)
    store.write(name, rounds._settings, state)
    with pytest.raises(ValueError, match=f"another layout.*{name}"):
        make(store).resume(2)


def due(schedule):
    return [epoch for epoch in range(10) if schedule.is_due(epoch)]


def test_epochs_that_are_due():
    assert due(LabelingSchedule(is_frozen=False, every=3)) == [3, 6, 9]
    assert due(LabelingSchedule(is_frozen=True, every=4)) == [0, 4, 8]
    assert due(LabelingSchedule(False, every=3, start=1)) == [1, 4, 7]


def test_share_of_each_round():
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
def test_reason_to_stop(case):
    *arguments, expected = case
    assert reason(*arguments) == expected
