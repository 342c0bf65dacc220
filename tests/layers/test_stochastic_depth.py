import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.layers import StochasticDepth


def numpy_of(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.8])
def test_drops_whole_samples_at_rate(rate):
    # At 0.5 a swap of the keep and drop rates would pass unseen.
    layer = StochasticDepth(rate=rate, seed=0)
    output = numpy_of(layer(np.ones((4000, 2, 3), "float32"), training=True))
    dropped = (output == 0).all(axis=(1, 2))
    np.testing.assert_allclose(output[~dropped], 1 / (1 - rate), rtol=1e-6)
    assert dropped.mean() == pytest.approx(rate, abs=0.03)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.8])
@pytest.mark.parametrize("scale", ["training", "inference"])
def test_mean_and_variance_are_those_of_a_bernoulli_draw(rate, scale):
    layer = StochasticDepth(rate=rate, scale=scale, seed=1)
    branch = np.full((20_000, 1), 3.0, "float32")
    output = numpy_of(layer(branch, training=True))
    keep = 1 - rate
    factor = 3 / keep if scale == "training" else 3
    deviation = factor * np.sqrt(rate * keep)
    assert output.mean() == pytest.approx(factor * keep, abs=0.03 * factor)
    assert output.std() == pytest.approx(deviation, rel=0.05)
    # Inference gives the mean that training has.
    predicted = numpy_of(layer(branch, training=False))
    np.testing.assert_allclose(predicted, factor * keep, rtol=1e-6)


def test_one_draw_for_the_whole_batch():
    layer = StochasticDepth(rate=0.25, per_sample=False, seed=0)
    branch = np.ones((5, 3), "float32")
    outputs = [numpy_of(layer(branch, training=True)) for _ in range(400)]
    assert all(np.unique(output).size == 1 for output in outputs)
    dropped = np.mean([output[0, 0] == 0 for output in outputs])
    assert dropped == pytest.approx(0.25, abs=0.08)


def test_huang_original_drops_without_scaling_and_scales_in_inference():
    layer = StochasticDepth(
        rate=0.25, per_sample=False, scale="inference", seed=0
    )
    branch = np.full((2, 3), 8.0, "float32")
    values = {numpy_of(layer(branch, training=True))[0, 0] for _ in range(50)}
    assert values == {0.0, 8.0}
    np.testing.assert_array_equal(numpy_of(layer(branch)), 6.0)


def test_pair_adds_the_shortcut_to_what_is_kept():
    layer = StochasticDepth(rate=0.75, seed=0)
    shortcut = np.arange(64, dtype="float32")[:, None]
    branch = np.ones((64, 1), "float32")
    gain = numpy_of(layer([shortcut, branch], training=True)) - shortcut
    assert set(gain.ravel()) == {0.0, 4.0}
    np.testing.assert_array_equal(
        numpy_of(layer([shortcut, branch])), shortcut + 1
    )


@pytest.mark.parametrize("scale", ["training", "inference"])
@pytest.mark.parametrize("training", [True, False])
def test_rate_zero_is_the_identity(scale, training):
    layer = StochasticDepth(rate=0, scale=scale, seed=0)
    branch = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    np.testing.assert_array_equal(
        numpy_of(layer(branch, training=training)), branch
    )
    assert numpy_of(layer.seed_generator.state)[1] == 0


def test_seed_repeats_the_sequence_and_each_call_draws_anew():
    branch = np.ones((200, 1), "float32")
    first, again, other = (
        StochasticDepth(rate=0.3, seed=seed) for seed in (5, 5, 6)
    )
    sequence = [numpy_of(first(branch, training=True)) for _ in range(3)]
    for output in sequence:
        np.testing.assert_array_equal(
            output, numpy_of(again(branch, training=True))
        )
    assert (sequence[0] != sequence[1]).any()
    assert (sequence[0] != numpy_of(other(branch, training=True))).any()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_the_dtype_and_the_rate(policy):
    layer = StochasticDepth(rate=0.01, seed=0, dtype=policy)
    output = layer(np.ones((20_000, 1), "float32"), training=True)
    assert keras.backend.standardize_dtype(output.dtype) == policy[6:]
    dropped = numpy_of(ops.cast(output, "float32")) == 0
    assert dropped.mean() == pytest.approx(0.01, abs=0.003)


def test_no_gradient_reaches_a_dropped_branch():
    inputs = keras.Input((1,))
    branch = keras.layers.Dense(1, kernel_initializer="ones")(inputs)
    outputs = StochasticDepth(rate=0.99, seed=0)([inputs, branch])
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    model.fit(np.ones((1, 1)), np.zeros((1, 1)), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], [[1.0]])


@pytest.mark.parametrize("batch_size", [None, 4])
def test_fits_with_known_and_unknown_batch_size_under_xla(batch_size):
    inputs = keras.Input((6, 6, 2), batch_size=batch_size)
    branch = keras.layers.Conv2D(2, 3, padding="same")(inputs)
    outputs = StochasticDepth(rate=0.4)([inputs, branch])
    model = keras.Model(inputs, outputs)
    compiled = keras.backend.backend() != "torch"
    model.compile("adam", "mse", jit_compile=compiled)
    images = np.ones((8, 6, 6, 2), "float32")
    history = model.fit(images, images, batch_size=4, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_saved_model_continues_the_draws(tmp_path):
    inputs = keras.Input((1,))
    model = keras.Model(inputs, StochasticDepth(rate=0.3, seed=2)(inputs))
    branch = np.ones((100, 1), "float32")
    model(branch, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        numpy_of(loaded(branch, training=True)),
        numpy_of(model(branch, training=True)),
    )


def test_loads_weights_saved_without_the_layer(tmp_path):
    def build(outputs_of):
        inputs = keras.Input((2,))
        branch = keras.layers.Dense(2)(inputs)
        return keras.Model(inputs, outputs_of([inputs, branch]))

    plain = build(keras.layers.Add())
    plain.save_weights(tmp_path / "plain.weights.h5")
    dropping = build(StochasticDepth(rate=0.3))
    dropping.load_weights(tmp_path / "plain.weights.h5")
    x = np.ones((3, 2), "float32")
    np.testing.assert_array_equal(numpy_of(dropping(x)), numpy_of(plain(x)))


def test_config_round_trip():
    config = dict(rate=0.3, per_sample=False, scale="inference", seed=4)
    layer = StochasticDepth(**config, name="drop")
    copy = StochasticDepth.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert config.items() <= copy.get_config().items()


def test_passes_the_mask_of_the_branch_on():
    inputs = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(5, 3, mask_zero=True)(inputs)
    outputs = StochasticDepth(rate=0.3)([embedded, embedded])
    model = keras.Model(inputs, outputs)
    mask = model(np.array([[1, 2, 0]]))._keras_mask
    np.testing.assert_array_equal(numpy_of(mask), [[True, True, False]])


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, "0.2", None])
def test_rejects_a_rate_outside_of_0_to_1(rate):
    with pytest.raises(ValueError, match=r"in \[0, 1\).*Received: rate="):
        StochasticDepth(rate=rate)


def test_rejects_an_unknown_scale():
    with pytest.raises(ValueError, match="Received: scale='both'"):
        StochasticDepth(scale="both")


@pytest.mark.parametrize("shapes", [[(2, 3), (2, 4)], [(2, 3)], [(2, 3)] * 3])
def test_rejects_what_is_not_a_pair_of_equal_shapes(shapes):
    with pytest.raises(ValueError, match=r"pair `\[shortcut, branch\]`"):
        StochasticDepth()([np.ones(shape, "float32") for shape in shapes])


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_is_built_from_the_start(dtype):
    layer = StochasticDepth(0.4, dtype=dtype)
    assert layer.built
    assert not layer.variables[1:]  # The state of the generator.


@pytest.mark.parametrize("shape", [(0, 3), (0, 4, 4, 3)])
@pytest.mark.parametrize("scale", ["training", "inference"])
@pytest.mark.parametrize("per_sample", [True, False])
def test_an_empty_batch_stays_empty(shape, scale, per_sample):
    layer = StochasticDepth(0.4, per_sample, scale)
    branch = np.zeros(shape, "float32")
    for inputs in (branch, [branch, branch]):
        for training in (True, False):
            assert layer(inputs, training=training).shape == shape
