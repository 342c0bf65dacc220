import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.models.student.student_under_noise import (
    StudentUnderNoise,
)

IMAGES = np.arange(5, dtype="float32").reshape(5, 1, 1, 1)
BATCH = {"labeled": IMAGES[:2], "unlabeled": IMAGES[2:]}


class Numbered(keras.layers.Layer):
    """Noise that differs from row to row."""

    def call(self, images):
        rows = ops.arange(ops.shape(images)[0], dtype="float32")
        return images + 0.1 * ops.reshape(rows, (-1, 1, 1, 1))


class WithNext(keras.layers.Layer):
    """Mixes each image with the one after it."""

    def call(self, inputs):
        return {
            name: 0.7 * rows + 0.3 * ops.roll(rows, -1, axis=0)
            for name, rows in inputs.items()
        }


def model(**arguments):
    student = keras.Sequential([keras.Input((1, 1, 1)), keras.layers.Flatten()])
    arguments = {
        "noise": None,
        "weak_noise": None,
        "labeled_noise": None,
        "separate_batch_norm": False,
        "mixing": None,
        "num_views": 1,
        "blank_value": None,
        "balanced_head": False,
        **arguments,
    }
    return StudentUnderNoise(student, **arguments)


def test_each_view_is_noised_by_itself():
    outputs = model(noise=Numbered(), num_views=3)(BATCH, training=True)
    shown = [0, 1, 2, 3, 4, 2, 3, 4, 2, 3, 4]
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs["predictions"])[:, 0],
        shown + 0.1 * np.arange(11),
        rtol=1e-5,
    )
    np.testing.assert_array_equal(
        ops.convert_to_numpy(outputs["shares"]), np.eye(5)[shown]
    )


@pytest.mark.parametrize("num_views", [1, 2])
def test_images_are_mixed_after_the_noise(num_views):
    outputs = model(noise=Numbered(), mixing=WithNext(), num_views=num_views)(
        BATCH, training=True
    )
    shown = np.array([0, 1, *num_views * [2, 3, 4]])
    noisy = shown + 0.1 * np.arange(len(shown))
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs["predictions"])[:, 0],
        0.7 * noisy + 0.3 * np.roll(noisy, -1),
        rtol=1e-5,
    )
    shares = np.eye(5)[shown]
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs["shares"]),
        0.7 * shares + 0.3 * np.roll(shares, -1, axis=0),
        rtol=1e-5,
    )


def test_nothing_is_mixed_in_inference():
    outputs = model(noise=Numbered(), mixing=WithNext())(BATCH, training=False)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(outputs)[:, 0], np.arange(5)
    )
