import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.models.student.separate_statistics import (
    separate_statistics,
)

IMAGES = np.random.default_rng(0).normal(size=(10, 2, 2, 3)).astype("float32")


@pytest.mark.parametrize("axis", [-1, 1])
def test_each_part_is_normalized_by_itself(axis):
    norm = keras.layers.BatchNormalization(axis=axis, momentum=0.0)
    model = keras.Sequential([keras.Input((2, 2, 3)), norm])
    with separate_statistics(model, 4, 10):
        outputs = ops.convert_to_numpy(model(IMAGES, training=True))
    parts = IMAGES[:4], IMAGES[4:]
    expected = [model(part, training=True) for part in parts]
    np.testing.assert_allclose(
        outputs, np.concatenate(list(map(ops.convert_to_numpy, expected)))
    )
    axes = tuple({0, 1, 2, 3} - {axis % 4})
    np.testing.assert_allclose(
        ops.convert_to_numpy(norm.moving_mean),
        parts[1].mean(axis=axes),
        rtol=1e-4,
        atol=1e-5,
    )
    # Afterwards, a batch is one again.
    together = ops.convert_to_numpy(model(IMAGES, training=True))
    assert np.abs(together - outputs).max() > 0.01


def test_images_that_the_model_cuts_into_pieces_stay_together():
    model = keras.Sequential(
        [
            keras.Input((2, 2, 3)),
            keras.layers.Lambda(lambda x: ops.reshape(x, (-1, 2, 3))),
            keras.layers.BatchNormalization(momentum=0.0),
        ]
    )
    with separate_statistics(model, 4, 10):
        outputs = ops.convert_to_numpy(model(IMAGES, training=True))
    first = ops.convert_to_numpy(model(IMAGES[:4], training=True))
    np.testing.assert_allclose(outputs[:8], first, rtol=1e-5)
