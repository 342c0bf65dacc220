import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.layers.horizontal_flip import HorizontalFlip

IMAGES = np.random.default_rng(0).integers(0, 256, (400, 3, 4, 3), "uint8")


def views(images=IMAGES, seed=0, **arguments):
    return ops.convert_to_numpy(HorizontalFlip(seed)(images, **arguments))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
def test_half_of_the_images_are_mirrored(dtype):
    images = IMAGES.astype(dtype)
    flipped = (views(images) != images).any(axis=(1, 2, 3))
    assert flipped.mean() == pytest.approx(0.5, abs=0.08)
    expected = np.where(
        flipped[:, None, None, None], np.flip(images, 2), images
    )
    np.testing.assert_array_equal(views(images), expected)
    assert views(images).dtype == dtype


@pytest.mark.parametrize("by_default", [True, False])
def test_channels_in_front_are_mirrored_from_left_to_right(by_default):
    images = np.moveaxis(IMAGES, -1, 1)
    name = "channels_first"
    before = keras.config.image_data_format()
    if by_default:
        keras.config.set_image_data_format(name)
    try:
        layer = HorizontalFlip(0, *([] if by_default else [name]))
    finally:
        keras.config.set_image_data_format(before)
    assert layer.get_config()["data_format"] == name
    found = ops.convert_to_numpy(layer(images))
    np.testing.assert_array_equal(np.moveaxis(found, 1, -1), views())


def test_a_single_image():
    layer = HorizontalFlip(seed=0)
    seen = {ops.convert_to_numpy(layer(IMAGES[0])).tobytes() for _ in range(20)}
    assert seen == {IMAGES[0].tobytes(), IMAGES[0][:, ::-1].tobytes()}


def test_nothing_is_mirrored_in_inference():
    np.testing.assert_array_equal(views(training=False), IMAGES)
    model = keras.Sequential([keras.Input((3, 4, 3)), HorizontalFlip()])
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), IMAGES)


def test_dtype_stays_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    assert views().dtype == "uint8"
    assert views(IMAGES.astype("float32")).dtype == "float32"


def test_draws_anew_in_each_call_and_goes_on_after_loading(tmp_path):
    model = keras.Sequential(
        [keras.Input((3, 4, 3), dtype="uint8"), HorizontalFlip(seed=3)]
    )

    def draw(model):
        return ops.convert_to_numpy(model(IMAGES, training=True))

    first = draw(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].get_config() == model.layers[-1].get_config()
    second = draw(model)
    assert (first != second).any()
    np.testing.assert_array_equal(draw(loaded), second)


def test_shapes_that_are_known_later():
    inputs = keras.Input((None, None, 3), dtype="uint8")
    outputs = HorizontalFlip()(inputs)
    assert outputs.shape == (None, None, None, 3)
    assert outputs.dtype == "uint8"


@pytest.mark.xla
def test_compiles_with_xla():
    model = keras.Sequential(
        [
            keras.Input((3, 4, 3)),
            HorizontalFlip(),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=True)
    history = model.fit(IMAGES / 255, np.arange(400) % 2, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_an_empty_batch_stays_empty():
    images = np.zeros((0, 4, 4, 1), "uint8")
    assert HorizontalFlip()(images).shape == images.shape


def test_loads_weights_saved_without_the_layer(tmp_path):
    plain = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 3)]
    )
    plain.save_weights(tmp_path / "plain.weights.h5")
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), HorizontalFlip(), keras.layers.Conv2D(2, 3)]
    )
    model.load_weights(tmp_path / "plain.weights.h5")
    for ours, theirs in zip(
        model.get_weights(), plain.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
