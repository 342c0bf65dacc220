import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.layers.mix_up import MixUp

IMAGES = np.random.default_rng(0).normal(size=(400, 2, 3, 1)).astype("float32")
INPUTS = {"images": IMAGES, "labels": np.eye(400, dtype="float32")}


def mixed(layer, inputs=INPUTS, **arguments):
    return keras.tree.map_structure(
        ops.convert_to_numpy, layer(inputs, **arguments)
    )


def test_labels_say_how_images_are_mixed():
    outputs = mixed(MixUp(seed=0))
    shares = outputs["labels"]
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    # Each image helps to make one other.
    np.testing.assert_array_equal((shares > 0).sum(axis=1) <= 2, True)
    np.testing.assert_array_equal(
        ((shares > 0) & ~np.eye(400, dtype=bool)).sum(axis=0) <= 1, True
    )
    np.testing.assert_allclose(
        outputs["images"], np.tensordot(shares, IMAGES, 1), atol=1e-5
    )


@pytest.mark.parametrize("alpha", [0.75, 4.0])
def test_own_shares_are_the_larger_part_of_a_beta_distribution(alpha):
    layer = MixUp(alpha, seed=0)
    own = [mixed(layer)["labels"].diagonal() for _ in range(3)]
    # The few images that are their own partners have a share of 1.
    own = np.concatenate(own)
    own = own[own < 1]
    draws = np.random.default_rng(1).beta(alpha, alpha, 100_000)
    expected = np.maximum(draws, 1 - draws)
    assert own.min() >= 0.5
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.quantile(own, share) == pytest.approx(
            np.quantile(expected, share), abs=0.03
        )


def test_integers_are_rounded():
    images = np.random.default_rng(0).integers(0, 256, (400, 2, 3, 1), "uint8")
    outputs = mixed(MixUp(seed=0), {**INPUTS, "images": images})
    assert outputs["images"].dtype == "uint8"
    expected = np.tensordot(outputs["labels"], images.astype("float32"), 1)
    assert np.abs(outputs["images"] - expected).max() < 0.501


def test_shares_keep_their_precision_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    outputs = mixed(MixUp(seed=0))
    assert outputs["labels"].dtype == "float32"
    np.testing.assert_allclose(
        outputs["images"], np.tensordot(outputs["labels"], IMAGES, 1), atol=1e-5
    )


def test_nothing_is_mixed_in_inference():
    outputs = mixed(MixUp(), training=False)
    np.testing.assert_array_equal(outputs["images"], IMAGES)
    np.testing.assert_array_equal(outputs["labels"], INPUTS["labels"])


@pytest.mark.tensorflow
def test_draws_anew_in_a_compiled_graph():
    import tensorflow as tf

    layer = MixUp(seed=0)
    compiled = tf.function(layer, jit_compile=True)
    first, second = (compiled(INPUTS)["labels"].numpy() for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(first.sum(axis=1), 1, atol=1e-6)
    assert first.diagonal().min() >= 0.5


def test_draws_go_on_where_they_were(tmp_path):
    inputs = {
        "images": keras.Input((2, 3, 1)),
        "labels": keras.Input((400,)),
    }
    layer = MixUp(0.6, seed=0)
    model = keras.Model(inputs, layer(inputs))
    model(INPUTS, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    ours, theirs = (
        ops.convert_to_numpy(each(INPUTS, training=True)["labels"])
        for each in (model, loaded)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_config_round_trip():
    config = MixUp(0.6, seed=3).get_config()
    assert MixUp.from_config(config).get_config() == config


def test_loads_weights_saved_without_the_layer(tmp_path):
    class Mixing(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)
            self.mix = MixUp()

        def build(self, input_shape):
            self.dense.build(input_shape)

        def call(self, x):
            return self.dense(x)

    class Plain(Mixing):
        def __init__(self):
            super().__init__()
            self.mix = None

    saved, loaded = Plain(), Mixing()
    for model in (saved, loaded):
        model.build((None, 3))
    saved.save_weights(tmp_path / "saved.weights.h5")
    loaded.load_weights(tmp_path / "saved.weights.h5")
    for ours, theirs in zip(
        loaded.get_weights(), saved.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
