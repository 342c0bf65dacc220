"""Fits of models that are compiled in several ways and on several devices."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import FineTune

# Runs in a process of its own: devices are set once, before the backend runs.
TRAIN = """
def train():
    keras.utils.set_random_seed(1)
    backbone = keras.Sequential([
        keras.Input((4,)), keras.layers.Dense(6, "tanh"),
        keras.layers.Dense(5, "tanh"),
    ])
    model = keras.Sequential(
        [keras.Input((4,)), backbone, keras.layers.Dense(2)]
    )
    model.compile(keras.optimizers.Adam(0.05), "mse")
    fine_tune = FineTune(
        backbone, {0: 0, 1: 1, 2: "all"}, {2: 0.01}, layer_decay=0.5
    )
    x = np.random.default_rng(0).normal(size=(8, 4))
    model.fit(x, x[:, :2], batch_size=4, epochs=3, shuffle=False, verbose=0,
              callbacks=[fine_tune])
    print(*np.concatenate([w.ravel() for w in model.get_weights()]))
"""
MIRRORED = """
import keras, numpy as np, tensorflow as tf
from keras_fewlabels.callbacks import FineTune
cpu = tf.config.list_physical_devices("CPU")[0]
parts = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, parts)
mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert mirrored.num_replicas_in_sync == 2
train()
with mirrored.scope():
    train()
"""
DATA_PARALLEL = """
import keras, numpy as np
from keras_fewlabels.callbacks import FineTune
train()
devices = keras.distribution.list_devices()
assert len(devices) == 2
distribution = keras.distribution.DataParallel(devices=devices)
keras.distribution.set_distribution(distribution)
train()
"""


@pytest.mark.parametrize(
    "settings",
    [
        {"policy": "mixed_float16"},
        {"jit_compile": True},
        {"gradient_accumulation_steps": 2},
        {"steps_per_execution": 2},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_works_however_the_model_is_compiled(
    settings, build_model, fit, recorder
):
    if keras.backend.backend() == "torch":
        # There is no XLA, and Keras runs one step at a time.
        settings = settings | {"jit_compile": False, "steps_per_execution": 1}
    settings = dict(settings)
    keras.config.set_dtype_policy(settings.pop("policy", "float32"))
    steps = settings.pop("gradient_accumulation_steps", None)
    model = build_model()
    optimizer = keras.optimizers.Adam(
        0.05, gradient_accumulation_steps=steps, epsilon=1e-4
    )
    model.compile(optimizer, "mse", **settings)
    fine_tune = FineTune("backbone", {0: 0, 1: 2})
    fit(model, fine_tune, recorder, epochs=2, batch_size=4)
    assert recorder.changed == [{"head"}, {"head", "high", "middle"}]
    iterations = int(keras.ops.convert_to_numpy(optimizer.iterations))
    assert iterations == 4 // (steps or 1)


def check_one_device_and_two_train_alike(script, **environment):
    result = subprocess.run(
        [sys.executable, "-c", TRAIN + script],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "KERAS_BACKEND": keras.backend.backend(),
            **environment,
        },
    )
    assert result.returncode == 0, result.stderr
    one, two = (
        np.array(line.split(), float) for line in result.stdout.splitlines()
    )
    assert one.size == 77
    np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.tensorflow
def test_two_replicas_train_as_one():
    check_one_device_and_two_train_alike(MIRRORED)


@pytest.mark.jax
def test_two_devices_train_as_one(two_jax_devices):
    check_one_device_and_two_train_alike(DATA_PARALLEL, **two_jax_devices)
