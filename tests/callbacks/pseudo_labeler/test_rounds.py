import warnings

import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.callbacks.pseudo_labeler.rounds import LabelingRounds
from keras_fewlabels.callbacks.pseudo_labeler.schedule import LabelingSchedule
from keras_fewlabels.callbacks.pseudo_labeler.workers import OnlyWorker
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold

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


def make(cache=None, is_frozen=False, balance=None, **schedule):
    policy = DistributionAlignment(FixedThreshold(0.5), momentum=0.5)
    policy.build((None, 3))
    return LabelingRounds(
        image_source(IMAGES),
        policy,
        LabelingSchedule(is_frozen, **schedule),
        balance,
        None,
        3,
        cache,
    )


def label(rounds, epoch, model=None):
    model = Model(epoch) if model is None else model
    rounds.label(epoch, OnlyWorker(model), False, 3, 64, False)


def test_curriculum_keeps_the_surest_part_and_more_each_round():
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


def test_rounds_are_taken_up_where_they_were_left(tmp_path):
    def go(rounds, epochs):
        for epoch in epochs:
            label(rounds, epoch)
        return rounds

    whole = go(make(ArrayStore(tmp_path / "whole"), balance="repeat"), range(4))
    cache = ArrayStore(tmp_path / "resumed")
    # The second process was killed after the round of epoch 2.
    go(make(cache, balance="repeat"), range(3))
    resumed = make(cache, balance="repeat")
    assert resumed.resume(2)
    assert [each["epoch"] for each in resumed.record.rounds] == [0, 1]
    go(resumed, range(2, 4))
    assert resumed.record.rounds == whole.record.rounds
    np.testing.assert_array_equal(resumed.chosen, whole.chosen)
    np.testing.assert_array_equal(
        resumed.record.confidence, whole.record.confidence
    )
    for one, other in zip(
        resumed.policy.variables, whole.policy.variables, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_labels_of_a_round_that_is_complete_are_not_made_again(tmp_path):
    cache = ArrayStore(tmp_path)
    label(make(cache), 0)
    again = Model(0)
    label(make(cache), 0, again)
    assert again.num_passes == 0
    # Only the files of the last round stay.
    label(make(cache), 1)
    assert len(cache.names("labels_")) == 1


def test_a_new_fit_forgets_the_rounds_of_an_older_one(tmp_path):
    cache = ArrayStore(tmp_path)
    for epoch in range(3):
        label(make(cache), epoch)
    assert make(cache).resume(0)
    assert cache.names("round_") == []


def test_rounds_under_other_settings_are_of_no_use(tmp_path):
    cache = ArrayStore(tmp_path)
    label(make(cache, every=1), 1)
    other = make(cache, every=2, start=0)
    with pytest.warns(UserWarning, match="goes on at epoch 2.*`cache_dir`"):
        assert not other.resume(2)
    assert other.record.rounds == []


def test_what_is_missing_is_said_or_made_again():
    with pytest.warns(UserWarning, match="goes on at epoch 4"):
        assert not make(every=2).resume(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The teacher will say the same again.
        assert not make(is_frozen=True).resume(4)
        # There was no round before.
        assert make(every=2).resume(2)
        assert make().resume(0)
