import sys

import keras
import numpy as np
import pytest

from keras_fewlabels.models.classifier.applications import (
    application_name,
    application_names,
    build_application,
    mode_of_application,
    mode_of_function,
)
from keras_fewlabels.models.classifier.preprocessing import (
    MODES,
    resolve_preprocessing,
)

QUICK = [
    *("ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "MobileNet"),
    *("MobileNetV2", "MobileNetV3Small", "ResNet50", "ResNet50V2"),
    *("VGG16", "Xception"),
]


# The graphs are the same on every backend.
@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in application_names()
    ],
)
def test_each_network_gets_its_own_preprocessing(name):
    model = build_application(name, (96, 96), None)
    rank = 2 if name.startswith("ConvNeXt") else 4
    assert len(model.output_shape) == rank
    build = getattr(keras.applications, name)
    function = sys.modules[build.__module__].preprocess_input
    mode = mode_of_function(function)
    assert resolve_preprocessing(None, model) is MODES[mode]
    if mode != "none":
        # Cut off in the middle, and under another name.
        middle = model.layers[len(model.layers) // 2].output
        part = keras.Model(model.input, middle, name="mine")
        assert mode_of_application(part) == mode


@pytest.mark.tensorflow
def test_networks_without_their_scaling_layer():
    build = keras.applications.MobileNetV3Small
    options = {"include_top": False, "weights": None}
    model = build(include_preprocessing=False, **options)
    assert mode_of_application(model) == "tf"


@pytest.mark.parametrize(
    "written, name",
    [
        ("MobileNetV2", "MobileNetV2"),
        ("mobilenet_v2", "MobileNetV2"),
        ("ResNet-50", "ResNet50"),
        ("efficientnet b0", "EfficientNetB0"),
        (keras.applications.VGG16, "VGG16"),
        (np.mean, None),
        (None, None),
    ],
)
def test_names(written, name):
    assert application_name(written) == name


@pytest.mark.parametrize(
    "written, hint",
    [
        ("MobilNetV2", r"Did you mean 'MobileNetV2'\?"),
        ("ResNet51", r"Did you mean 'ResNet"),
        ("no such net", r"installed. The networks are ConvNeXtBase, "),
    ],
)
def test_other_names_are_refused(written, hint):
    with pytest.raises(ValueError, match=f"{hint}.*Received: backbone="):
        application_name(written)


def test_functions_of_others_have_no_mode():
    def preprocess_input(images):
        return images

    assert mode_of_function(preprocess_input) is None
    assert mode_of_function(keras.applications.VGG16) is None
    assert mode_of_function("tf") is None
