import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_fewlabels.layers.replica_seed_generator import ReplicaSeedGenerator

TWO_REPLICAS = """
import keras, tensorflow as tf
from keras_fewlabels.layers import RandAugment, StochasticDepth
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
cpu = tf.config.list_physical_devices("CPU")[0]
parts = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, parts)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    depth = StochasticDepth(rate=0.4, seed=0)
    augment = RandAugment(1, ops=["invert", "identity"], seed=0)
    flip = HorizontalFlip(seed=0)

@tf.function
def run():
    dropped = depth(tf.ones((100, 1)), training=True)
    inverted = augment(tf.zeros((100, 1, 1, 1), "uint8"))
    flipped = flip(tf.tile([[[[0.0], [1.0]]]], (100, 1, 1, 1)))[:, :, 0]
    return [tf.reshape(x, (-1,)) for x in (dropped, inverted, flipped)]

for _ in range(2):
    for replica in strategy.experimental_local_results(strategy.run(run)):
        print(*["".join(str(int(v > 0)) for v in x.numpy()) for x in replica])
"""


def test_one_replica_draws_as_keras_does():
    ours, theirs = (
        kind(seed=3)
        for kind in (ReplicaSeedGenerator, keras.random.SeedGenerator)
    )
    for _ in range(2):
        np.testing.assert_array_equal(
            *(
                keras.ops.convert_to_numpy(
                    keras.random.uniform((4,), seed=seed)
                )
                for seed in (ours, theirs)
            )
        )


@pytest.mark.tensorflow
def test_two_replicas_draw_different_numbers_each_step():
    # In its own process: logical devices are set once, before TensorFlow runs.
    output = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    ).stdout
    draws = output.split()
    assert len(draws) == len(set(draws)) == 12
