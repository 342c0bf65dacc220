import types

import keras
import pytest
from keras import layers

from keras_fewlabels.callbacks import FineTune
from keras_fewlabels.callbacks.fine_tune.find_backbone import find_backbone


def build_model():
    backbone = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2, name="dense")], name="backbone"
    )
    outer = keras.Sequential([keras.Input((3,)), backbone], name="outer")
    head = layers.Dense(1, name="head")
    return keras.Sequential([outer, head], name="model"), backbone


def test_by_object_and_by_name_at_any_depth():
    model, backbone = build_model()
    assert find_backbone(model, backbone) is backbone
    assert find_backbone(model, "backbone") is backbone
    assert find_backbone(model, "dense") is backbone.layers[-1]
    assert find_backbone(model, model) is model


def test_none_is_the_model_with_most_of_the_parameters():
    model, _ = build_model()
    assert find_backbone(model, None) is model.layers[0]
    alone = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="Received: backbone=None"):
        find_backbone(alone, None)


def test_a_model_whose_layers_are_in_the_graph():
    base, _ = build_model()
    outputs = layers.Dense(1)(base.layers[0].output)
    model = keras.Model(base.inputs, outputs)
    assert find_backbone(model, base.layers[0]) is base.layers[0]
    with pytest.raises(ValueError, match="must be a layer of the model"):
        find_backbone(model, base)


def test_only_the_student_is_searched():
    (student, backbone), (teacher, other) = build_model(), build_model()
    wrapper = types.SimpleNamespace(student=student, teacher=teacher, name="w")
    assert find_backbone(wrapper, "backbone") is backbone
    with pytest.raises(ValueError, match="must be a layer of the model"):
        find_backbone(wrapper, other)


def test_rejects_what_is_not_in_the_model():
    model, _ = build_model()
    message = r"\['outer', 'backbone'\]. Received: backbone='resnet'"
    with pytest.raises(ValueError, match=message):
        find_backbone(model, "resnet")
    with pytest.raises(ValueError, match="Received: backbone=<Dense"):
        find_backbone(model, layers.Dense(2))


def test_rejects_a_name_of_several_layers():
    model, _ = build_model()
    twin = keras.Sequential([keras.Input((1,)), layers.Dense(1, name="dense")])
    model = keras.Sequential([model, twin])
    with pytest.raises(ValueError, match="the name of 2 layers"):
        find_backbone(model, "dense")


def test_rejects_a_model_that_is_not_compiled():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)], name="net")
    with pytest.raises(ValueError, match="Received: model='net', which is not"):
        FineTune(model).set_model(model)


def test_rejects_a_model_that_is_not_built():
    model = keras.Sequential([layers.Dense(1)], name="net")
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"not built.*Received: model='net'"):
        FineTune(model).set_model(model)
