import keras
import pytest
from keras import layers

from keras_fewlabels.callbacks.fine_tune.trainable_flags import TrainableFlags


class Block(layers.Layer):
    """A layer with a weight of its own beside those of its sublayers."""

    def build(self, input_shape):
        self.token = self.add_weight(shape=(2,), name="token")
        self.dense = layers.Dense(2, name="dense")
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(x) + self.token


def build_backbone():
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(2, name="low"),
            Block(name="block"),
            layers.BatchNormalization(name="norm"),
        ]
    )


def trainable(backbone):
    return {
        "/".join(variable.path.split("/")[-2:])
        for variable in backbone.trainable_variables
    }


LOW = {"low/kernel", "low/bias"}
INNER = {"dense/kernel", "dense/bias"}
TOKEN = {"block/token"}
NORM = {"norm/gamma", "norm/beta"}


def test_a_chosen_layer_trains_with_the_layers_inside():
    backbone = build_backbone()
    flags = TrainableFlags(backbone)
    flags.apply([backbone.get_layer("block")], freeze_batch_norm=True)
    assert trainable(backbone) == INNER | TOKEN
    flags.apply([backbone], freeze_batch_norm=True)
    assert trainable(backbone) == LOW | INNER | TOKEN
    flags.apply([backbone], freeze_batch_norm=False)
    assert trainable(backbone) == LOW | INNER | TOKEN | NORM
    flags.apply([], freeze_batch_norm=False)
    assert trainable(backbone) == set()
    assert not backbone.trainable


def test_a_chosen_sublayer_trains_without_the_weights_around_it():
    backbone = build_backbone()
    flags = TrainableFlags(backbone)
    dense = backbone.get_layer("block").dense
    flags.apply([dense], freeze_batch_norm=True)
    assert trainable(backbone) == INNER
    assert flags.num_layers() == (1, 4)


@pytest.mark.parametrize("frozen", [["block"], ["low", "norm"], []])
def test_frozen_parts_stay_frozen_and_are_restored(frozen):
    backbone = build_backbone()
    for name in frozen:
        backbone.get_layer(name).trainable = False
    backbone.get_layer("low").bias.trainable = False
    before = trainable(backbone)
    flags = TrainableFlags(backbone)
    flags.apply([], freeze_batch_norm=False)
    flags.apply([backbone], freeze_batch_norm=False)
    assert trainable(backbone) == before
    flags.apply([], freeze_batch_norm=False)
    flags.restore()
    assert trainable(backbone) == before
    assert [layer.trainable for layer in backbone.layers] == [
        layer.name not in frozen for layer in backbone.layers
    ]


def test_non_trainable_state_never_trains():
    backbone = build_backbone()
    backbone.trainable = False
    flags = TrainableFlags(backbone)
    flags.apply([backbone], freeze_batch_norm=False)
    assert trainable(backbone) == LOW | INNER | TOKEN | NORM
    flags.restore()
    assert trainable(backbone) == set()
