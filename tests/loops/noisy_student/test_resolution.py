import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.loops.noisy_student.recipe import (
    check_any_size,
    shrink_images,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 12, 3), "uint8")


def of_any_size():
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2D(4, 3, padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_images_are_shrunk(dtype):
    model = of_any_size()
    small = shrink_images(model, 0.5, (8, 12, 3))
    assert small.input_shape == (None, 8, 12, 3)
    images = IMAGES.astype(dtype)
    halves = layers.Resizing(4, 6, antialias=True)(IMAGES.astype("float32"))
    np.testing.assert_allclose(
        small.predict(images, verbose=0),
        model.predict(keras.ops.convert_to_numpy(halves), verbose=0),
        rtol=1e-4,
        atol=1e-4,
    )


def test_weights_are_shared():
    model = of_any_size()
    small = shrink_images(model, 0.01, (8, 12, 3))
    assert small.layers[1].height == small.layers[1].width == 1
    for weight, same in zip(small.weights, model.weights, strict=True):
        assert weight is same


def test_models_for_one_size_are_refused():
    check_any_size(of_any_size(), IMAGES)
    model = keras.Sequential([keras.Input((8, 12, 3)), layers.Flatten()])
    with pytest.raises(ValueError, match=r"Input\(\(None, None, 3\)\)"):
        check_any_size(model, IMAGES)
