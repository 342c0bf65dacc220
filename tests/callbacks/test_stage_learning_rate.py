import keras
import pytest
from keras.optimizers.schedules import PiecewiseConstantDecay

from keras_fewlabels.callbacks.stage_learning_rate import (
    StageLearningRate,
    current_rate,
    stage_rate,
)

# The rate equals the number of the batch, so the count is visible.
COUNT = PiecewiseConstantDecay(list(range(9)), [float(n) for n in range(10)])


def begin(rate, optimizer, epoch, steps=2):
    is_new = rate.begin_epoch(optimizer, epoch, steps)
    return is_new, current_rate(optimizer)


def test_floats_hold_until_the_next_entry():
    optimizer = keras.optimizers.SGD(1.0)
    rate = StageLearningRate({3: 0.25, 1: 0.5})
    rate.remember(optimizer)
    assert stage_rate(optimizer) is None
    assert [begin(rate, optimizer, epoch) for epoch in range(5)] == [
        *((False, 1.0), (True, 0.5), (False, 0.5), (True, 0.25), (False, 0.25)),
    ]
    assert stage_rate(optimizer) == 0.25
    rate.restore(optimizer)
    assert current_rate(optimizer) == 1.0
    assert stage_rate(optimizer) is None


def test_a_change_by_another_callback_lasts_until_the_next_entry():
    optimizer = keras.optimizers.SGD(1.0)
    rate = StageLearningRate({0: 0.5, 2: 0.25})
    rate.remember(optimizer)
    begin(rate, optimizer, 0)
    optimizer.learning_rate = 0.1
    assert begin(rate, optimizer, 1)[1] == pytest.approx(0.1)
    assert begin(rate, optimizer, 2)[1] == 0.25


def test_a_schedule_counts_batches_from_its_first_epoch():
    optimizer = keras.optimizers.SGD(1.0)
    rate = StageLearningRate({1: COUNT})
    rate.remember(optimizer)
    optimizer._iterations.assign(20)
    rates = []
    for epoch in (1, 2):
        rate.begin_epoch(optimizer, epoch, None)
        for batch in range(4):
            rate.begin_batch(optimizer, batch)
            rates.append(current_rate(optimizer))
            # As if another callback gave it back its start in each epoch.
            optimizer._iterations.assign(batch + 1)
    assert rates == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_resumed_run_continues_the_schedule():
    optimizer = keras.optimizers.SGD(1.0)
    rate = StageLearningRate({1: COUNT})
    rate.remember(optimizer)
    optimizer._iterations.assign(6)
    assert begin(rate, optimizer, epoch=3, steps=2) == (True, 4.0)


def test_refuses_to_resume_a_schedule_with_unknown_steps():
    optimizer = keras.optimizers.SGD(1.0)
    rate = StageLearningRate({1: COUNT})
    rate.remember(optimizer)
    with pytest.raises(ValueError, match="Received: steps_per_epoch=None"):
        rate.begin_epoch(optimizer, 2, None)


def test_rejects_an_optimizer_compiled_with_a_schedule():
    optimizer = keras.optimizers.SGD(COUNT)
    StageLearningRate({}).remember(optimizer)
    with pytest.raises(ValueError, match=r"learning_rates=\{0: schedule"):
        StageLearningRate({3: 0.1}).remember(optimizer)
