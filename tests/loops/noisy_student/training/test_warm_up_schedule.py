import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.training.warm_up_schedule import (
    WarmUpSchedule,
)


@pytest.mark.parametrize("falls", [True, False])
@pytest.mark.parametrize(("num_steps", "warm_up"), [(1, 1), (40, 2), (100, 5)])
def test_rates_are_those_of_cosine_decay(num_steps, warm_up, falls):
    expected = keras.optimizers.schedules.CosineDecay(
        0.002,
        max(1, num_steps - warm_up),
        alpha=0.0 if falls else 1.0,
        warmup_target=0.2,
        warmup_steps=warm_up,
    )
    schedule = WarmUpSchedule(0.2, num_steps, warm_up, falls)
    steps = range(num_steps + 3)
    np.testing.assert_allclose(
        [float(schedule(step)) for step in steps],
        [float(expected(step)) for step in steps],
        rtol=1e-5,
        atol=1e-8,
    )


def test_an_optimizer_of_the_same_configuration_has_the_same_rates():
    optimizer = keras.optimizers.AdamW(WarmUpSchedule(0.2, 40, 4, falls=False))
    copy = keras.optimizers.AdamW.from_config(optimizer.get_config())
    assert float(copy.learning_rate) == pytest.approx(0.002)
    copy.iterations.assign(39)
    assert float(copy.learning_rate) == pytest.approx(0.2)


@pytest.mark.tensorflow
def test_a_step_has_no_branches():
    import tensorflow as tf

    schedule = WarmUpSchedule(0.2, 40, 4)
    graph = tf.function(schedule).get_concrete_function(
        tf.TensorSpec((), "int64")
    )
    kinds = {node.type for node in graph.graph.get_operations()}
    assert "SelectV2" in kinds and not {"If", "StatelessIf"} & kinds
