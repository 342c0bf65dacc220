import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageEnhance

from keras_fewlabels.layers import RandAugment


def some_images(batch_size=16, height=12, width=10, channels=3):
    generator = np.random.default_rng(0)
    shape = (batch_size, height, width, channels)
    return generator.integers(0, 256, shape, "uint8")


def flat_images(batch_size=4000, level=100):
    return np.full((batch_size, 1, 1, 1), level, "uint8")


def augment(layer, images, **kwargs):
    return ops.convert_to_numpy(layer(images, **kwargs))


@pytest.mark.parametrize("sign, factor", [(-1, 0.1), (1, 1.9)])
def test_full_range_equals_pillow(sign, factor):
    images = some_images(32)
    layer = RandAugment(1, 10, ops=["contrast"], seed=0)
    output = augment(layer, images)
    expected = [
        np.asarray(ImageEnhance.Contrast(Image.fromarray(x)).enhance(factor))
        for x in images
    ]
    matches = (output == np.stack(expected)).all(axis=(1, 2, 3))
    assert 4 < matches.sum() < 28


@pytest.mark.parametrize("value_range, dtype", [
    ((0, 255), "float32"), ((0, 1), "float16"), ((-1, 1), "float32"),
    ((-3, 5), "float64"),
])  # fmt: skip
def test_float_images_equal_uint8_images(value_range, dtype):
    levels = some_images()
    low, high = value_range
    images = (levels / 255 * (high - low) + low).astype(dtype)
    expected = augment(RandAugment(seed=3, fill_value=51), levels)
    layer = RandAugment(
        seed=3, value_range=value_range, fill_value=low + (high - low) / 5
    )
    output = layer(ops.convert_to_tensor(images))
    tensor_dtype = ops.convert_to_tensor(images).dtype
    assert output.dtype == tensor_dtype
    output = ops.convert_to_numpy(output).astype("float64")
    output = (output - low) * 255 / (high - low)
    np.testing.assert_allclose(output, expected, atol=0.3)


def test_identity_gives_the_very_image():
    images = np.random.default_rng(0).uniform(0, 1, (8, 4, 4, 3))
    images = images.astype("float32")
    layer = RandAugment(ops=["identity"], value_range=(0, 1))
    np.testing.assert_array_equal(augment(layer, images), images)


def test_fill_value_is_in_units_of_value_range():
    images = np.zeros((64, 8, 8, 1), "float32")
    for fill_value, expected in [(None, 128 / 255), (1.0, 1.0)]:
        layer = RandAugment(
            1, ops=["translate_x"], value_range=(0, 1), fill_value=fill_value
        )
        output = augment(layer, images)
        np.testing.assert_allclose(np.unique(output), [0, expected], rtol=1e-6)


def test_apply_probability_leaves_float_images_alone():
    images = np.random.default_rng(0).uniform(0, 1, (200, 2, 2, 3))
    images = images.astype("float32")
    layer = RandAugment(
        2, value_range=(0, 1), apply_probability=0.25, ops=["invert"], seed=0
    )
    output = augment(layer, images)
    untouched = (output == images).all(axis=(1, 2, 3))
    # Not even rounded, unless an op was applied: 0.75 squared is 0.56.
    assert untouched.mean() == pytest.approx(0.56, abs=0.12)


@pytest.mark.parametrize("dtype, value_range, scale", [
    ("uint8", (0, 255), 1), ("float32", (0, 1), 255),
])  # fmt: skip
def test_keras_layer_as_an_op(dtype, value_range, scale):
    halve = keras.layers.Rescaling(0.5)
    layer = RandAugment(
        1, value_range=value_range, ops=[halve, "invert", "invert"], seed=0
    )
    output = augment(layer, (flat_images() / scale).astype(dtype))
    levels = np.round(output.astype(float) * scale)
    share = (levels == 50).mean()
    assert share == pytest.approx(1 / 3, abs=0.03)
    assert ((levels == 155).mean() + share) == 1


def test_slots_keep_their_order_beside_a_layer():
    # 100 -> 155 -> 77 or 100 -> 50 -> 205, never both halved at once.
    layer = RandAugment(2, ops=[keras.layers.Rescaling(0.5), "invert"], seed=0)
    output = augment(layer, flat_images(200))
    assert set(output.ravel()) <= {25, 77, 78, 100, 205}
    assert {205} < set(output.ravel())
