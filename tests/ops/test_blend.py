import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.ops.blend import blend, color, contrast, luma, sharpness

DEGENERATE, LEVEL = np.meshgrid(np.arange(256), np.arange(256))
FACTORS = (0.0, 0.1, 0.55, 1.0, 1.45, 1.9, 3.43)


def pillow_blend(factor):
    difference = (LEVEL - DEGENERATE).astype("float32")
    return np.clip(DEGENERATE + np.float32(factor) * difference, 0, 255)


@pytest.mark.parametrize("factor", FACTORS)
def test_blend_cuts_off_as_float32_does(factor):
    output = ops.convert_to_numpy(blend(DEGENERATE, LEVEL, factor))
    np.testing.assert_array_equal(output, pillow_blend(factor).astype("uint8"))


@pytest.mark.tensorflow
@pytest.mark.parametrize("factor", FACTORS)
def test_blend_is_the_same_under_xla(factor):
    import tensorflow as tf

    # XLA may round a product and a sum at once, which would show here.
    compiled = tf.function(blend, jit_compile=True)
    output = compiled(tf.constant(DEGENERATE), tf.constant(LEVEL), factor)
    np.testing.assert_array_equal(output, pillow_blend(factor).astype("uint8"))


def test_luma_of_the_primaries():
    images = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]])
    output = ops.convert_to_numpy(luma(images))
    np.testing.assert_array_equal(output[:, 0], [76, 150, 29, 9])


def test_color_zero_is_grey_and_one_is_the_image():
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), "uint8")
    output = ops.convert_to_numpy(color(images, np.array([0.0, 1.0])))
    grey = ops.convert_to_numpy(luma(images))
    np.testing.assert_array_equal(output[0], np.repeat(grey[0], 3, axis=-1))
    np.testing.assert_array_equal(output[1], images[1])


def test_sharpness_keeps_the_border():
    image = np.zeros((1, 4, 4, 1), "uint8")
    image[0, 1, 1, 0] = 130
    output = ops.convert_to_numpy(sharpness(image, np.array([0.0])))
    expected = [[0, 0, 0, 0], [0, 50, 10, 0], [0, 10, 10, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(output[0, ..., 0], expected)


@pytest.mark.parametrize("size", [1, 2])
def test_sharpness_of_an_image_that_is_all_border(size):
    image = keras.random.randint((1, size, size, 3), 0, 256, "int32")
    image = ops.cast(image, "uint8")
    output = sharpness(image, np.array([0.0]))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(output), ops.convert_to_numpy(image)
    )


def test_contrast_rounds_the_mean_half_up():
    # The mean of 10, 10, 11, 11 is 10.5, so the pivot is 11.
    images = np.array([10, 10, 11, 11], "uint8").reshape(1, 2, 2, 1)
    output = ops.convert_to_numpy(contrast(images, np.array([0.0])))
    np.testing.assert_array_equal(output, np.full((1, 2, 2, 1), 11))
