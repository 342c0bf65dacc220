import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_fewlabels.layers import StochasticResidual

TWO_REPLICAS = """
import keras, numpy as np, tensorflow as tf
from keras_fewlabels.layers import StochasticResidual
cpu = tf.config.list_physical_devices("CPU")[0]
parts = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, parts)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    branch = keras.Sequential([
        keras.Input((3,)), keras.layers.Dense(3, use_bias=False),
        keras.layers.BatchNormalization(), keras.layers.Dropout(0.1),
    ])
    model = keras.Sequential(
        [keras.Input((3,)), StochasticResidual(branch, 0.1, seed=0)]
    )
    model.compile("sgd", "mse")
before = branch.get_weights()
x = np.random.default_rng(0).normal(size=(32, 3))
model.fit(x, 0 * x, batch_size=8, verbose=0)
print(*[(a != b).any() for a, b in zip(before, branch.get_weights())])
"""
# On JAX, without, each `cond` is compiled when it is met; torch has no XLA.
JIT_COMPILE = {"tensorflow": [False, True], "jax": [True], "torch": [False]}


class Counter(layers.Layer):
    """Counts in a variable how often it ran."""

    def build(self, input_shape):
        self.runs = self.add_weight(
            shape=(), initializer="zeros", trainable=False
        )

    def call(self, x):
        self.runs.assign_add(1)
        return x

    def compute_output_shape(self, input_shape):
        return input_shape


def build_model(rate, scale="training", jit_compile="auto"):
    keras.utils.set_random_seed(1)
    branch = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(3, use_bias=False, name="dense"),
            layers.BatchNormalization(name="norm"),
            Counter(name="counter"),
        ]
    )
    inputs = keras.Input((3,))
    block = StochasticResidual(branch, rate, 0, scale=scale, name="block")
    outputs = block(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", jit_compile=jit_compile)
    return model


def fit(model, steps=1):
    x = np.random.default_rng(0).normal(size=(4, 3))
    for _ in range(steps):
        model.train_on_batch(x, 0 * x)


def test_drops_at_rate():
    # At 0.5 a swap of the keep and drop rates would pass unseen.
    model = build_model(rate=0.25)
    x = np.ones((1200, 3))
    model.fit(x, 0 * x, batch_size=4, verbose=0)
    counter = model.get_layer("block").branch.get_layer("counter")
    runs = int(ops.convert_to_numpy(counter.runs))
    assert runs / 300 == pytest.approx(0.75, abs=0.08)


@pytest.mark.parametrize(
    "scale, kept, predicted", [("training", 3.5, 2.0), ("inference", 2.0, 1.4)]
)
def test_scales_in_training_or_in_inference(scale, kept, predicted):
    branch = layers.Dense(2, kernel_initializer="identity")
    layer = StochasticResidual(branch, rate=0.6, seed=0, scale=scale)
    x = np.ones((1, 2), "float32")
    outputs = [layer(x, training=True) for _ in range(8)]
    values = {ops.convert_to_numpy(output)[0, 0] for output in outputs}
    assert values == {1.0, kept}
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(x)), predicted, rtol=1e-6
    )


@pytest.mark.parametrize("jit_compile", JIT_COMPILE[keras.backend.backend()])
def test_a_dropped_branch_does_not_run_and_a_kept_one_does(jit_compile):
    model = build_model(rate=0.4)
    # On CPUs as well, where it says no on TensorFlow.
    model.get_layer("block").supports_jit = True
    model.compile("sgd", "mse", jit_compile=jit_compile)
    branch = model.get_layer("block").branch
    counter = branch.get_layer("counter")
    kept = 0
    for _ in range(15):
        before = branch.get_weights()
        fit(model)
        after = branch.get_weights()
        runs = int(ops.convert_to_numpy(counter.runs))
        changed = [
            not np.array_equal(*pair)
            for pair in zip(before, after, strict=True)
        ]
        # Weights, and the statistics of the batch normalization with them.
        assert all(changed) if runs > kept else not any(changed)
        kept = runs
    assert 0 < kept < 15


@pytest.mark.tensorflow
def test_keras_does_not_compile_it_where_that_is_slow(recwarn):
    # Machines with a GPU compile it.
    import tensorflow as tf

    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    model = build_model(0.4, jit_compile=True)
    assert model.jit_compile == has_gpu
    warned = any("jit_compile" in str(each.message) for each in recwarn)
    assert warned != has_gpu
    assert StochasticResidual(layers.Dense(3)).supports_jit == has_gpu


@pytest.mark.parametrize("scale", ["training", "inference"])
def test_rate_zero_trains_as_the_plain_sum(scale):
    model = build_model(rate=0, scale=scale)
    keras.utils.set_random_seed(1)
    plain_branch = keras.models.clone_model(model.get_layer("block").branch)
    inputs = keras.Input((3,))
    plain = keras.Model(inputs, inputs + plain_branch(inputs))
    plain.compile("sgd", "mse")
    plain_branch.set_weights(model.get_layer("block").branch.get_weights())
    fit(model, steps=3)
    fit(plain, steps=3)
    for ours, theirs in zip(
        model.get_layer("block").branch.get_weights(),
        plain_branch.get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_optimizers_see_a_zero_gradient_of_a_dropped_branch():
    # With momentum, the weights move on while the branch is dropped.
    branch = layers.Dense(3, use_bias=False, name="dense")
    model = keras.Sequential(
        [keras.Input((3,)), StochasticResidual(branch, 0.5, seed=1)]
    )
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    x = np.ones((4, 3))
    moved = []
    for _ in range(12):
        before = branch.get_weights()[0]
        model.train_on_batch(x, 0 * x)
        moved.append((branch.get_weights()[0] != before).any())
    first = moved.index(True)
    assert all(moved[first:])


def test_a_frozen_branch_stays():
    model = build_model(rate=0.25)
    branch = model.get_layer("block").branch
    branch.trainable = False
    model.compile("sgd", "mse")
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(3)(model(inputs)))
    model.compile("sgd", "mse")
    before = branch.get_layer("dense").get_weights()
    fit(model, steps=4)
    after = branch.get_layer("dense").get_weights()
    np.testing.assert_array_equal(before[0], after[0])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    model = build_model(rate=0.25)
    assert model.output.dtype == policy[6:]
    fit(model, steps=4)
    assert np.isfinite(model.get_weights()[0]).all()


FLOATS = ["float32", "float16", "mixed_bfloat16", "float64"]


@pytest.mark.parametrize("branch_dtype", FLOATS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_branch_may_have_another_dtype(dtype, branch_dtype):
    branch = layers.Dense(3, use_bias=False, dtype=branch_dtype)
    block = StochasticResidual(branch, 0.5, seed=0, dtype=dtype)
    model = keras.Sequential([keras.Input((3,)), block])
    model.compile("sgd", "mse")
    fit(model, steps=6)
    x = np.ones((2, 3))
    for training in (True, False):
        output = model(x, training=training)
        declared = model.outputs[0].dtype
        if declared != "float64" or keras.backend.backend() != "jax":
            assert keras.backend.standardize_dtype(output.dtype) == declared


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_state_of_the_branch_stays_exact_in_mixed_precision(dtype):
    keras.config.set_dtype_policy(dtype)
    counter = Counter(dtype="float32")
    model = keras.Sequential(
        [keras.Input((3,)), StochasticResidual(counter, 0.25, seed=0)]
    )
    counter.runs.assign(5001)  # Half precision has no odd numbers there.
    x = np.ones((4, 3), "float32")
    calls = [numpy_of(model(x, training=True)) for _ in range(12)]
    kept = sum((output != 1).any() for output in calls)
    assert 0 < kept < 12
    assert int(ops.convert_to_numpy(counter.runs)) == 5001 + kept


def numpy_of(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def test_saved_model_predicts_the_same_and_continues_the_draws(tmp_path):
    model = build_model(rate=0.4)
    fit(model, steps=3)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(
        tmp_path / "model.keras", custom_objects={"Counter": Counter}
    )
    x = np.ones((2, 3), "float32")
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6
    )
    np.testing.assert_array_equal(
        *(
            ops.convert_to_numpy(m.get_layer("block").seed_generator.state)
            for m in (model, loaded)
        )
    )


def test_config_round_trip():
    layer = StochasticResidual(layers.Dense(3), 0.3, 4, scale="inference")
    copy = StochasticResidual.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert (copy.rate, copy.seed, copy.scale) == (0.3, 4, "inference")
    assert copy.branch.units == 3


@pytest.mark.tensorflow
def test_trains_on_two_replicas():
    # In its own process: logical devices are set once, before TensorFlow runs.
    output = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    ).stdout
    # Kernel, and the scale, offset and statistics of batch-norm.
    assert output.split() == ["True"] * 5


def test_an_empty_batch_stays_empty():
    layer = StochasticResidual(layers.Dense(3), 0.5, seed=0)
    for training in (True, True, True, False):
        output = layer(np.zeros((0, 3), "float32"), training=training)
        assert output.shape == (0, 3)


@pytest.mark.parametrize("rate", [-0.1, 1, "0.2", None])
def test_rejects_a_rate_outside_of_0_to_1(rate):
    with pytest.raises(ValueError, match=r"in \[0, 1\).*Received: rate="):
        StochasticResidual(layers.Dense(2), rate=rate)


def test_rejects_an_unknown_scale():
    with pytest.raises(ValueError, match="Received: scale='both'"):
        StochasticResidual(layers.Dense(2), scale="both")


def test_rejects_a_branch_that_changes_the_shape():
    with pytest.raises(ValueError, match=r"Received: input shape=\(2, 3\)"):
        StochasticResidual(layers.Dense(4))(np.ones((2, 3), "float32"))
