import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks.fine_tune.training_stages import (
    TrainingStages,
    select_layers,
)


def build_backbone():
    return keras.Sequential(
        [keras.Input((2,)), layers.Dense(2), layers.Dense(2)]
    )


def test_the_flags_depend_on_the_epoch_alone():
    backbone = build_backbone()
    stages = TrainingStages(backbone, {6: "all", 2: 0, 4: 1}, True)
    counts = {0: 4, 1: 4, 2: 0, 3: 0, 4: 2, 5: 2, 6: 4, 9: 4}
    for epoch in [0, 1, 2, 3, 4, 5, 6, 9, 4, 0, 6, 2]:
        stages.enter(epoch)
        assert len(backbone.trainable_variables) == counts[epoch]


def test_enter_returns_whether_the_stage_changed():
    stages = TrainingStages(build_backbone(), {1: 0, 3: "all"}, True)
    assert [stages.enter(epoch) for epoch in range(5)] == [
        *(False, True, False, True, False),
    ]
    stages.leave()
    assert stages.enter(3)


def test_trainable_variables_of_all_stages_and_of_now():
    backbone = build_backbone()
    low, high = backbone.layers
    low.trainable = True
    high.trainable = False
    backbone.layers[0].bias.trainable = False
    stages = TrainingStages(backbone, {0: 0, 1: [low.name]}, True)
    model = keras.Sequential([backbone, layers.Dense(1)])
    model.build((None, 2))
    variables = {
        variable.path for variable in stages.trainable_variables(model)
    }
    assert variables == {
        low.kernel.path,
        *(variable.path for variable in model.layers[1].variables),
    }
    assert low.kernel.trainable
    assert not low.bias.trainable


def test_rejects_a_stage_in_which_nothing_trains():
    backbone = build_backbone()
    stages = TrainingStages(backbone, {0: "all", 1: 0}, True)
    with pytest.raises(ValueError, match=r"Received: schedule=\{1: 0\}"):
        stages.trainable_variables(backbone)
    assert len(backbone.trainable_variables) == 4


def build_nested():
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
    chosen = select_layers(build_nested(), choice)
    assert [layer.name for layer in chosen] == expected


def test_all_is_the_backbone_itself():
    backbone = build_nested()
    assert select_layers(backbone, "all") == [backbone]


def test_a_layer_without_sublayers_is_its_own_only_layer():
    layer = layers.Dense(2, name="dense")
    for choice in (1, "all", ["dense"], lambda layer: True):
        assert select_layers(layer, choice) == [layer]


def test_rejects_more_layers_than_there_are():
    message = "asks for 3 layers of the backbone 'backbone', which has 2"
    with pytest.raises(ValueError, match=message):
        select_layers(build_nested(), 3)


def test_rejects_an_unknown_name_and_offers_close_ones():
    message = r"Similar names: \['block'\]. Received: 'blok'"
    with pytest.raises(ValueError, match=message):
        select_layers(build_nested(), ["dense", "blok"])


def test_a_count_may_be_a_number_of_numpy():
    backbone = build_nested()
    chosen = select_layers(backbone, np.int64(2))
    assert chosen == select_layers(backbone, 2)
