import keras
import pytest
from keras import layers

from keras_fewlabels.callbacks.fine_tune.select_layers import select_layers


def build_backbone():
    block = keras.Sequential(
        [keras.Input((2,)), layers.Dense(2, name="inner")], name="block"
    )
    return keras.Sequential(
        [keras.Input((3,)), layers.Dense(2, name="dense"), block],
        name="backbone",
    )


@pytest.mark.parametrize(
    "choice, expected",
    [
        (0, []),
        (1, ["block"]),
        (2, ["dense", "block"]),
        (["inner"], ["inner"]),
        (("block", "dense"), ["dense", "block"]),
        ([], []),
        (lambda layer: layer.name in "dense inner", ["dense", "inner"]),
        (lambda layer: False, []),
    ],
)
def test_choices(choice, expected):
    chosen = select_layers(build_backbone(), choice)
    assert [layer.name for layer in chosen] == expected


def test_all_is_the_backbone_itself():
    backbone = build_backbone()
    assert select_layers(backbone, "all") == [backbone]


def test_a_layer_without_layers_is_its_own_only_one():
    layer = layers.Dense(2, name="dense")
    for choice in (1, "all", ["dense"], lambda layer: True):
        assert select_layers(layer, choice) == [layer]


def test_rejects_more_layers_than_there_are():
    message = "asks for 3 layers of the backbone 'backbone', which has 2"
    with pytest.raises(ValueError, match=message):
        select_layers(build_backbone(), 3)


def test_rejects_an_unknown_name_and_offers_close_ones():
    message = r"names close to it: \['block'\]. Received: 'blok'"
    with pytest.raises(ValueError, match=message):
        select_layers(build_backbone(), ["dense", "blok"])
