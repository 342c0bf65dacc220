import keras
import pytest
from keras import layers

from keras_fewlabels.foundation import backbone_of


def net(width=8, name="net"):
    return keras.Sequential([keras.Input((4,)), layers.Dense(width)], name=name)


def functional(backbone):
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2)(backbone(inputs)))


def wrapped(backbone):
    inputs = keras.Input((4,))
    return keras.Model(inputs, functional(backbone)(inputs))


def in_sequence(backbone):
    return keras.Sequential([backbone, layers.Dense(2)])


@pytest.mark.parametrize("make", [functional, in_sequence, wrapped])
def test_finds_the_backbone(make, tmp_path):
    backbone = net()
    model = make(backbone)
    assert backbone_of(model) is backbone
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert backbone_of(loaded).name == "net"


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.net = net()

    def call(self, inputs):
        return self.net(inputs)


def test_finds_none_where_no_model_has_most_weights():
    backbone = net()
    outputs = layers.Dense(2)(backbone.outputs[0])
    flat = keras.Model(backbone.inputs, outputs)
    small = keras.Sequential([net(width=1), layers.Dense(20)])
    subclassed = Subclassed()
    subclassed.build((None, 4))
    for model in (flat, small, subclassed, backbone):
        assert backbone_of(model) is None
