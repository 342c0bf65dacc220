import keras
import numpy as np
import pytest
from keras import layers
from keras.applications import imagenet_utils

from keras_fewlabels.models.classifier.preprocessing import (
    MODES,
    resolve_preprocessing,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), "uint8")


def values_of(preprocess, pixels=IMAGES):
    inputs = keras.Input(pixels.shape[1:])
    # Keras 3.12 has no model without a layer.
    outputs = layers.Identity()(preprocess(inputs))
    return keras.ops.convert_to_numpy(keras.Model(inputs, outputs)(pixels))


def net(*front, name="net"):
    """A backbone that scales its input by the layers in front."""
    return keras.Sequential(
        [keras.Input((None, None, 3)), *front, layers.Conv2D(2, 3)], name=name
    )


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("mode", ["tf", "torch", "caffe"])
def test_modes_are_those_of_keras(mode, dtype):
    keras.config.set_dtype_policy(dtype)
    expected = imagenet_utils.preprocess_input(
        IMAGES.astype("float32"), mode=mode
    )
    inputs = keras.Input(IMAGES.shape[1:])
    model = keras.Model(inputs, resolve_preprocessing(mode, net())(inputs))
    values = keras.ops.convert_to_numpy(model(IMAGES))
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    "module, mode",
    [
        ("mobilenet_v2", "tf"),
        ("resnet50", "caffe"),
        ("densenet", "torch"),
        ("efficientnet", "none"),
    ],
)
def test_functions_of_keras(module, mode):
    function = getattr(keras.applications, module).preprocess_input
    assert resolve_preprocessing(function, net()) is MODES[mode]


@pytest.mark.parametrize(
    "preprocessing, expected",
    [
        ((1 / 128, -127 / 128), (IMAGES - 127.0) / 128),
        ([1, (1.0, 2.0, -3.0)], IMAGES + np.array([1.0, 2.0, -3.0])),
        ((np.array([1.0, 2.0, 3.0]), 0), IMAGES * np.array([1.0, 2.0, 3.0])),
        ("none", IMAGES),
    ],
)
def test_explicit_values(preprocessing, expected):
    values = values_of(resolve_preprocessing(preprocessing, net()))
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)


def test_a_layer_is_taken_as_it_is():
    layer = layers.Rescaling(1 / 255)
    assert resolve_preprocessing(layer, net()) is layer


def in_a_functional_model():
    inputs = keras.Input((8, 8, 3))
    x = inputs / 127.5 - 1.0
    return keras.Model(inputs, layers.Conv2D(2, 3)(x), name="net")


@pytest.mark.parametrize(
    "make",
    [
        lambda: net(layers.Rescaling(1 / 255)),
        lambda: net(layers.Rescaling(1 / 255), layers.ReLU(0.5)),
        lambda: net(
            layers.RandomFlip(),
            layers.ZeroPadding2D(),
            layers.Rescaling(1.0, -127.5),
        ),
        lambda: net(
            layers.Normalization(mean=[99.0] * 3, variance=[3000.0] * 3)
        ),
        lambda: net(net(layers.Rescaling(1 / 255), name="inner")),
        lambda: net(
            keras.Sequential([layers.Rescaling(1 / 255)], name="front")
        ),
        in_a_functional_model,
    ],
)
def test_backbones_that_scale_pixels_need_none(make):
    assert resolve_preprocessing(None, make()) is MODES["none"]


@pytest.mark.parametrize(
    "front",
    [
        (),
        (layers.ZeroPadding2D(),),
        (layers.BatchNormalization(),),
        # Activations, also those with a bound.
        (layers.ReLU(6.0),),
        (layers.Activation("tanh"),),
    ],
)
def test_unknown_backbones_are_refused(front):
    expected = r"Pass what turns .*`preprocessing=\(1 / 255, 0\)`.*'net'"
    with pytest.raises(ValueError, match=expected):
        resolve_preprocessing(None, net(*front))


class Subclassed(keras.Model):
    def call(self, images):
        return images / 255


def test_a_backbone_without_a_graph_is_unknown():
    with pytest.raises(ValueError, match="of class Subclassed"):
        resolve_preprocessing(None, Subclassed())


@pytest.mark.parametrize(
    "front",
    [
        layers.Normalization(mean=[0.485] * 3, variance=[0.05] * 3),
        layers.Rescaling(2.0, -1.0),
        layers.Rescaling(255.0),
    ],
)
def test_backbones_that_scale_other_images_are_refused(front):
    with pytest.raises(ValueError, match=r"no pixels from 0 to 255.*'net'"):
        resolve_preprocessing(None, net(front))


@pytest.mark.parametrize(
    "preprocessing",
    ["tensorflow", 1 / 255, (1, "a"), (1, 2, 3), ((1, 2), 0), abs, True],
)
def test_other_kinds_are_refused(preprocessing):
    with pytest.raises(ValueError, match=r"`preprocessing` must be.*Received"):
        resolve_preprocessing(preprocessing, net())
