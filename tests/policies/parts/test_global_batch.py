import os
import subprocess
import sys

import numpy as np
import pytest
from keras import ops

from keras_fewlabels.policies.parts.global_batch import global_batch

TWO_REPLICAS = """
import numpy as np, tensorflow as tf
from keras_fewlabels import policies
from keras_fewlabels.policies.parts.global_batch import global_batch

cpu = tf.config.list_physical_devices("CPU")[0]
parts = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, parts)
# One each for all: two strategies over the same devices mix up their messages.
one = tf.distribute.OneDeviceStrategy("CPU:0")
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

random = np.random.default_rng(0)
batches = random.dirichlet([3, 1, 0.6], (3, 8)).astype("float32")
labeled = random.dirichlet([1, 2, 1], (3, 4)).astype("float32")
indices = random.integers(0, 12, (3, 8))


def on(strategy, function, *arrays):
    number = strategy.num_replicas_in_sync
    parts = [
        strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(
                np.split(array, number)[context.replica_id_in_sync_group]
            )
        )
        for array in arrays
    ]
    outputs = tf.nest.flatten(strategy.run(function, args=parts))
    local = [strategy.experimental_local_results(part) for part in outputs]
    return [np.concatenate(part) for part in local], local


def answers_and_state(make, strategy):
    with strategy.scope():
        policy = make()
        policy.build((None, 3))

    @tf.function
    def step(batch, labeled, indices):
        context = {"labeled_probabilities": labeled, "indices": indices}
        return policy(batch, training=True, **context)

    answers = [
        on(strategy, step, *arrays)[0]
        for arrays in zip(batches, labeled, indices)
    ]
    state = [
        strategy.experimental_local_results(variable.value)
        for variable in policy.variables
    ]
    return answers, state


def check(make):
    answers, state = answers_and_state(make, one)
    others, replicas = answers_and_state(make, two)
    tf.nest.map_structure(close, answers, others)
    for (expected,), copies in zip(state, replicas):
        assert len(copies) == 2
        for copy in copies:
            close(expected, copy)


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


for make in (
    lambda: policies.FlexMatchPolicy(0.6, num_unlabeled=12),
    lambda: policies.FlexMatchPolicy(0.6),
    lambda: policies.FreeMatchPolicy(0.7),
    lambda: policies.SoftMatchPolicy(momentum=0.7),
    lambda: policies.SoftMatchPolicy(momentum=0.7, per_class=True),
    lambda: policies.AdaMatchPolicy(0.9, momentum=0.7),
    lambda: policies.DebiasedPolicy(
        policies.FlexMatchPolicy(0.6), momentum=0.7
    ),
    lambda: policies.DistributionAlignment(
        policies.FreeMatchPolicy(0.7), momentum=0.7
    ),
):
    check(make)

_, gathered = on(two, tf.function(global_batch), batches[0])
for copy in gathered[0]:
    np.testing.assert_array_equal(copy, batches[0])

policy = policies.FreeMatchPolicy(0.7)
policy(batches[0], training=True)


@tf.function
def fairness(student, weights):
    with tf.GradientTape() as tape:
        tape.watch(student)
        loss = policy.fairness(student, weights)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        part = loss / replicas
    return loss[None], tape.gradient(part, student)


weights = np.array([1, 0, 1, 1, 0, 1, 1, 1], "float32")
student = random.dirichlet([1, 1, 1], 8).astype("float32")
((loss,), gradient), _ = on(one, fairness, student, weights)
(losses, gradients), _ = on(two, fairness, student, weights)
close([loss, loss], losses)
close(gradient, gradients)
assert abs(gradient).max() > 1e-3
print("same")
"""


def test_one_replica_has_the_whole_batch():
    batch = ops.arange(6)
    assert global_batch(batch) is batch


@pytest.mark.tensorflow
def test_two_replicas_have_the_state_of_one():
    # In its own process: logical devices are set once, before TensorFlow runs.
    output = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert output.stdout.strip() == "same", output.stderr[-2000:]


@pytest.mark.tensorflow
def test_strategies_that_build_variables_gather_nothing():
    import tensorflow as tf

    batch = np.ones((4, 2), "float32")
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert global_batch(batch) is batch
