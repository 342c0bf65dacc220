import importlib.util
import sys

import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.models import classifier
from keras_fewlabels.models.classifier.source import find_source
from keras_fewlabels.models.standalone.foreign_parts import foreign_parts

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def keras_cv_backbone(include_rescaling):
    # Its import takes seconds, which the other backends need not wait for.
    import keras_cv

    return keras_cv.models.ResNetBackbone(
        stackwise_filters=[8, 16],
        stackwise_blocks=[1, 1],
        stackwise_strides=[1, 2],
        include_rescaling=include_rescaling,
        input_shape=(32, 32, 3),
    )


def test_a_model_is_its_own_source():
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3)])
    source = find_source(model, (8, 8), "imagenet", False)
    assert source.model is source.backbone is model
    assert source.preprocessing is source.task is source.resizing is None
    assert source.num_prefix_tokens == 0


@pytest.mark.tensorflow
def test_a_function_of_keras_is_a_name():
    source = find_source(keras.applications.MobileNet, (32, 48), None, False)
    assert source.model.input_shape == (None, 32, 48, 3)


@pytest.mark.tensorflow
def test_backbones_of_keras_cv(tmp_path):
    backbone = keras_cv_backbone(True)
    model = classifier(backbone, 3)
    assert [layer.name for layer in model.layers] == [
        *("images", backbone.name, "pooling", "dropout", "predictions")
    ]
    assert foreign_parts(model.get_config()) == {}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(loaded(IMAGES)), array(model(IMAGES)))
    with pytest.raises(ValueError, match=r"are not known.*class ResNetBackb"):
        classifier(keras_cv_backbone(False), 3)


@pytest.mark.tensorflow
def test_a_task_of_keras_cv_keeps_its_head():
    backbone = keras_cv_backbone(True)
    import keras_cv

    task = keras_cv.models.ImageClassifier(backbone, 3)
    model = classifier(task)
    assert foreign_parts(model.get_config()) == {}
    np.testing.assert_allclose(
        array(model(IMAGES)), task.predict(IMAGES, verbose=0), atol=1e-5
    )
    assert classifier(task, 5).output_shape == (None, 5)


@pytest.mark.parametrize("name", ["hf://timm/resnet18.a1_in1k", "folder"])
def test_presets_need_keras_hub(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match=r"pip install keras-hub.*Received"):
        classifier(name, 3, 32)


def test_names_of_nothing_are_refused_without_keras_hub(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "keras_hub" else find(name),
    )
    expected = r"keras.applications`.*or a preset of keras-hub, if it is"
    with pytest.raises(ValueError, match=expected):
        classifier("dinov2_small", 3, 32)
