import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.layers import RandAugment


def some_images(batch_size=16, height=12, width=10, channels=3):
    generator = np.random.default_rng(0)
    shape = (batch_size, height, width, channels)
    return generator.integers(0, 256, shape, "uint8")


def augment(layer, images, **kwargs):
    return ops.convert_to_numpy(layer(images, **kwargs))


@pytest.mark.parametrize("name", RandAugment.OPS)
def test_every_op_works_alone_and_far_beyond_its_range(name):
    for magnitude in (0, 10, 100):
        layer = RandAugment(1, magnitude, ops=[name], seed=0)
        output = augment(layer, some_images())
        assert output.shape == (16, 12, 10, 3)
        assert output.dtype == "uint8"


@pytest.mark.parametrize(
    "name", [name for name in RandAugment.OPS if name not in
             ("autocontrast", "equalize", "invert")]
)  # fmt: skip
def test_magnitude_zero_changes_nothing(name):
    images = some_images()
    for interpolation in ("nearest", "bilinear"):
        layer = RandAugment(2, 0, ops=[name], interpolation=interpolation)
        np.testing.assert_array_equal(augment(layer, images), images)


def test_no_training_and_no_ops_change_nothing():
    images = some_images()
    output = augment(RandAugment(), images, training=False)
    np.testing.assert_array_equal(output, images)
    np.testing.assert_array_equal(augment(RandAugment(0), images), images)


def test_one_image_and_one_channel():
    for shape in [(12, 10, 3), (12, 10, 1), (2, 12, 10, 1)]:
        images = np.full(shape, 9, "uint8")
        assert augment(RandAugment(seed=0), images).shape == shape


def test_same_seed_gives_the_same_stream():
    images = some_images()
    first, second = RandAugment(seed=5), RandAugment(seed=5)
    calls = [augment(first, images) for _ in range(3)]
    for output in calls:
        np.testing.assert_array_equal(augment(second, images), output)
    assert (calls[0] != calls[1]).any()
    assert (augment(RandAugment(seed=6), images) != calls[0]).any()


IMAGES_OF_A_SEED = """
import keras, numpy as np, zlib
from keras_fewlabels.layers import RandAugment
images = np.random.default_rng(0).integers(0, 256, (32, 12, 10, 3), "uint8")
output = keras.ops.convert_to_numpy(RandAugment(seed=3)(images))
print(zlib.crc32(output.tobytes()))
"""


def test_same_seed_gives_the_same_images_on_every_backend(capsys):
    # The backend that is always installed; all others compare with it.
    output = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMAGES_OF_A_SEED],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    ).stdout
    exec(IMAGES_OF_A_SEED, {})
    assert capsys.readouterr().out == output


def test_index_takes_the_place_of_the_count():
    images = np.random.default_rng(0).integers(0, 256, (8, 9, 9, 3), "uint8")
    layer, other = (
        RandAugment(ops=["contrast", "cutout"], seed=5) for _ in range(2)
    )
    counted = [augment(layer, images) for _ in range(3)]
    for index in (2, 0, 1):
        output = augment(other, images, index=index)
        np.testing.assert_array_equal(output, counted[index])


def test_half_precision_policy_keeps_the_images_dtype():
    keras.config.set_dtype_policy("mixed_float16")
    images = some_images().astype("float32")
    output = RandAugment(seed=0)(images)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    model = keras.Sequential([keras.Input((12, 10, 3)), RandAugment()])
    assert keras.backend.standardize_dtype(model.outputs[0].dtype) == "float32"


def test_saved_model_continues_the_stream(tmp_path):
    images = some_images()
    model = keras.Sequential(
        [keras.Input((12, 10, 3), dtype="uint8"), RandAugment(seed=4)]
    )
    model(images, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected = augment(model, images, training=True)
    np.testing.assert_array_equal(
        augment(loaded, images, training=True), expected
    )
    first = augment(RandAugment(seed=4), images)
    assert (first != expected).any()


def test_config_round_trip():
    layer = RandAugment(
        3, 7.5, (-1, 1), ["rotate", "cutout"], "nearest", 0.5, 11, name="noise"
    )
    config = layer.get_config()
    assert RandAugment.from_config(config).get_config() == config


def test_keras_layer_among_ops_survives_its_config():
    layer = RandAugment(ops=["rotate", keras.layers.Rescaling(0.25)])
    config = layer.get_config()
    copy = RandAugment.from_config(config)
    assert copy.ops[0] == "rotate"
    assert copy.ops[1].scale == 0.25
    assert copy.get_config() == config


def test_dict_in_dict_out():
    inputs = {
        "images": np.full((8, 1, 1, 1), 100, "uint8"),
        "labels": np.arange(8),
    }
    outputs = RandAugment(1, ops=["invert"])(inputs)
    assert set(outputs) == {"images", "labels"}
    assert (ops.convert_to_numpy(outputs["images"]) == 155).all()
    assert outputs["labels"] is inputs["labels"]


def test_model_augments_in_fit_and_not_in_predict():
    model = keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            RandAugment(ops=["brightness", "invert"], seed=0),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    # On torch `jit_compile` means torch.compile, which needs a C++ compiler.
    jit = keras.backend.backend() != "torch"
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=jit)
    images = some_images(32).astype("float32")
    history = model.fit(images, np.arange(32) % 2, batch_size=16, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    noise = keras.Sequential(model.layers[:1])
    np.testing.assert_array_equal(noise.predict(images, verbose=0), images)


def test_loads_weights_saved_without_the_layer(tmp_path):
    plain = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 3)]
    )
    plain.save_weights(tmp_path / "plain.weights.h5")
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), RandAugment(), keras.layers.Conv2D(2, 3)]
    )
    model.load_weights(tmp_path / "plain.weights.h5")
    for ours, theirs in zip(
        model.get_weights(), plain.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
