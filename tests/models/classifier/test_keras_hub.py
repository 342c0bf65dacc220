"""Backbones, presets and tasks of keras-hub, if it is installed."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.foundation import (
    backbone_of,
    check_called,
    head_input,
)
from keras_fewlabels.loops import fit_head
from keras_fewlabels.models import classifier
from keras_fewlabels.models.classifier.keras_hub import _last_stage
from keras_fewlabels.models.standalone.foreign_parts import foreign_parts

keras_hub = pytest.importorskip("keras_hub")
# The graphs are the same on every backend; JAX takes minutes.
pytestmark = pytest.mark.tensorflow
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")
SCALE, OFFSET = [1 / 50, 1 / 60, 1 / 70], [-2.0, -1.5, -1.0]
TRANSFORMER = {
    "patch_size": 8,
    "num_layers": 1,
    "num_heads": 2,
    "hidden_dim": 8,
    "image_shape": (32, 32, 3),
}
# Name: (arguments, tokens in front of those of the 16 patches).
TRANSFORMERS = {
    "ViTBackbone": ({"mlp_dim": 16}, 1),
    "DeiTBackbone": ({"intermediate_dim": 16}, 2),
    "CLIPVisionEncoder": ({"intermediate_dim": 16}, 1),
    "DINOV2Backbone": (
        {
            "intermediate_dim": 16,
            "num_register_tokens": 2,
            "position_embedding_shape": (16, 16, 3),
        },
        3,
    ),
    "DINOV3Backbone": ({"intermediate_dim": 16, "num_register_tokens": 3}, 4),
}
if hasattr(keras_hub.models, "MetaCLIP2VisionEncoder"):
    TRANSFORMERS["MetaCLIP2VisionEncoder"] = ({"intermediate_dim": 16}, 1)


def made(name, **arguments):
    return getattr(keras_hub.models, name)(**arguments)


def transformer(name):
    arguments, num_tokens = TRANSFORMERS[name]
    return made(name, **TRANSFORMER, **arguments), num_tokens


def resnet(size=32):
    return made(
        "ResNetBackbone",
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(size, size, 3),
    )


def vit():
    return transformer("ViTBackbone")[0]


def converter(**options):
    return keras_hub.layers.ImageConverter(
        scale=SCALE, offset=OFFSET, **options
    )


def scaled(images):
    return images * np.float32(SCALE) + np.float32(OFFSET)


def resnet_task(converter=None, backbone=None, **options):
    preprocessor = None
    if converter is not None:
        preprocessor = keras_hub.models.ResNetImageClassifierPreprocessor(
            converter
        )
    return keras_hub.models.ResNetImageClassifier(
        backbone or resnet(),
        3,
        preprocessor=preprocessor,
        activation="softmax",
        **options,
    )


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def features_of(model, images=IMAGES):
    return array(keras.Model(model.input, head_input(model))(images))


@pytest.mark.parametrize("pooling", ["auto", "token", "avg"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_tokens_of_transformers(name, pooling):
    backbone, num_tokens = transformer(name)
    model = classifier(backbone, 3, 32, preprocessing="tf", pooling=pooling)
    tokens = IMAGES.astype("float32") / 127.5 - 1
    if isinstance(backbone.input, dict):
        tokens = {key: tokens for key in backbone.input}
    tokens = array(backbone(tokens))
    assert tokens.shape == (4, 16 + num_tokens, 8)
    expected = tokens[:, 0]
    if pooling == "avg":
        expected = tokens[:, num_tokens:].mean(axis=1)
    np.testing.assert_allclose(features_of(model), expected, atol=1e-5)


def test_vectors_of_siglip():
    encoder = made("SigLIPVisionEncoder", **TRANSFORMER, intermediate_dim=16)
    model = classifier(encoder, 3, preprocessing=converter())
    assert model.input_shape == (None, 32, 32, 3)
    expected = encoder({"images": scaled(IMAGES)})
    np.testing.assert_allclose(features_of(model), array(expected), atol=1e-5)


def test_the_last_of_the_stages_of_a_backbone():
    backbone = made(
        "HGNetV2Backbone",
        depths=[1, 1],
        embedding_size=8,
        hidden_sizes=[16, 32],
        stem_channels=[3, 8, 8],
        hidden_act="relu",
        use_learnable_affine_block=False,
        stackwise_stage_filters=[[8, 8, 16, 1, 1, 3], [16, 8, 32, 1, 1, 3]],
        apply_downsample=[False, True],
        use_lightweight_conv_block=[False, False],
        image_shape=(32, 32, 3),
    )
    model = classifier(backbone, 3, 32, preprocessing="tf")
    images = IMAGES.astype("float32") / 127.5 - 1
    expected = array(backbone(images)["stage2"]).mean(axis=(1, 2))
    np.testing.assert_allclose(features_of(model), expected, atol=1e-5)


@pytest.mark.parametrize(
    "names, last",
    [(["P9", "P10", "P3"], "P10"), (["C2", "C5", "C3"], "C5")],
)
def test_the_last_of_maps_that_are_numbered(names, last):
    assert _last_stage(None, dict.fromkeys(names)) == last


def test_the_vision_part_of_a_pair_of_towers():
    vision = made("CLIPVisionEncoder", **TRANSFORMER, intermediate_dim=16)
    text = keras_hub.models.CLIPTextEncoder(
        vocabulary_size=9,
        embedding_dim=8,
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=16,
        max_sequence_length=4,
    )
    towers = made(
        "CLIPBackbone",
        vision_encoder=vision,
        text_encoder=text,
        projection_dim=8,
    )
    model = classifier(towers, 3, preprocessing="tf")
    assert backbone_of(model).name == vision.name


def test_a_backbone_of_layers_of_keras_is_loaded_by_keras(tmp_path):
    model = classifier(resnet(), 3, preprocessing=converter(image_size=(9, 9)))
    features = array(model.get_layer("preprocessing")(IMAGES))
    np.testing.assert_allclose(features, scaled(IMAGES), rtol=1e-5)
    assert foreign_parts(model.get_config()) == {}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(loaded(IMAGES)), array(model(IMAGES)))


@pytest.mark.parametrize("make", [resnet, vit])
def test_a_backbone_alone_needs_its_preprocessing(make):
    with pytest.raises(ValueError, match=r"ImageConverter.from_preset.*class"):
        classifier(make(), 3, 32)


def test_layers_named_as_in_keras_applications_tell_nothing():
    vgg = made(
        "VGGBackbone",
        stackwise_num_repeats=[2, 2],
        stackwise_num_filters=[4, 4],
    )
    with pytest.raises(ValueError, match="of class VGGBackbone"):
        classifier(vgg, 3, 32)


def test_a_preset_brings_its_preprocessing(tmp_path):
    folder = tmp_path / "preset"
    backbone = resnet(None)
    backbone.save_to_preset(folder)
    keras_hub.layers.ResNetImageConverter(
        scale=SCALE, offset=OFFSET, image_size=(9, 9)
    ).save_to_preset(folder)
    model = classifier(folder, 3, 32)
    expected = array(backbone(scaled(IMAGES))).mean(axis=(1, 2))
    np.testing.assert_allclose(features_of(model), expected, atol=1e-4)
    with pytest.raises(ValueError, match="must be None for random ones"):
        classifier(folder, 3, 32, weights="other.weights.h5")
    random = classifier(str(folder), 3, 32, weights=None)
    assert np.abs(features_of(random) - expected).max() > 1e-3


def test_a_preset_of_one_size(tmp_path):
    vit().save_to_preset(tmp_path / "preset")
    keras_hub.layers.ViTImageConverter(scale=1 / 255).save_to_preset(
        tmp_path / "preset"
    )
    assert classifier(tmp_path / "preset", 3, 32).output_shape == (None, 3)
    with pytest.raises(ValueError, match="or pass the size it was built for"):
        classifier(tmp_path / "preset", 3, 64)


@pytest.mark.parametrize(
    "image_size, options",
    [
        (None, {}),
        (None, {"image_size": (32, 32)}),
        ((40, 24), {"image_size": (32, 32)}),
        ((40, 24), {"image_size": (32, 32), "crop_to_aspect_ratio": False}),
    ],
)
def test_a_task_gives_what_it_predicts(image_size, options):
    task = resnet_task(converter(**options))
    with pytest.raises(ValueError, match=r"models\.classifier\(model\)"):
        check_called(task, "model")
    model = classifier(task, image_size=image_size)
    shape = (4, *(image_size or (32, 32)), 3)
    images = np.random.default_rng(1).integers(0, 256, shape)
    images = images.astype("float32")
    expected = task.predict(images, verbose=0)
    np.testing.assert_allclose(array(model(images)), expected, atol=1e-5)
    np.testing.assert_allclose(
        model.predict(images, verbose=0), expected, atol=1e-5
    )
    check_called(model, "model")
    assert foreign_parts(model.get_config()) == {}
    assert backbone_of(model).name == task.backbone.name


@pytest.mark.parametrize("name", ["ViTImageClassifier", "DeiTImageClassifier"])
def test_a_task_of_a_transformer(name):
    backbone, _ = transformer(name.replace("ImageClassifier", "Backbone"))
    preprocessor = getattr(keras_hub.models, f"{name}Preprocessor")
    task = made(
        name,
        backbone=backbone,
        num_classes=3,
        preprocessor=preprocessor(converter(image_size=(32, 32))),
        activation="softmax",
    )
    model = classifier(task)
    np.testing.assert_allclose(
        array(model(IMAGES)), task.predict(IMAGES, verbose=0), atol=1e-5
    )


def test_a_task_with_a_new_head():
    task = resnet_task(converter(image_size=(32, 32)))
    model = classifier(task, 5, 32)
    expected = array(task.backbone(scaled(IMAGES))).mean(axis=(1, 2))
    np.testing.assert_allclose(features_of(model), expected, atol=1e-4)
    model.compile("sgd", "sparse_categorical_crossentropy")
    fit_head(model, backbone_of(model), (IMAGES, np.arange(4)), verbose=0)


def test_tasks_without_a_preprocessor():
    task = resnet_task()
    np.testing.assert_allclose(
        array(classifier(task)(IMAGES)),
        task.predict(IMAGES, verbose=0),
        atol=1e-5,
    )
    # A new head must know what the backbone was trained on.
    with pytest.raises(ValueError, match="are not known"):
        classifier(task, 5)
    task.preprocessor = layers.Rescaling(1 / 255)
    np.testing.assert_allclose(
        array(classifier(task)(IMAGES)),
        task.predict(IMAGES, verbose=0),
        atol=1e-5,
    )
    task = keras_hub.models.ImageClassifier(resnet(), 3, preprocessor=abs)
    with pytest.raises(ValueError, match="preprocessor of a task must be"):
        classifier(task)


def test_a_head_that_is_kept_is_not_changed():
    task = resnet_task(converter())
    for options in ({"dropout": 0.5}, {"pooling": "max"}, {"activation": None}):
        with pytest.raises(ValueError, match=r"keeps its head.*Received"):
            classifier(task, **options)
    with pytest.raises(ValueError, match=r"head that can be kept.*Received"):
        classifier(resnet(), preprocessing="tf")
    open_size = resnet_task(converter(), resnet(None))
    with pytest.raises(ValueError, match=r"takes images of any size.*Received"):
        classifier(open_size)
