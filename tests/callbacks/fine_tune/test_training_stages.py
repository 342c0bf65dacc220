import keras
import pytest
from keras import layers

from keras_fewlabels.callbacks.fine_tune.training_stages import TrainingStages


def build_backbone():
    return keras.Sequential(
        [keras.Input((2,)), layers.Dense(2), layers.Dense(2)]
    )


def test_the_state_is_a_function_of_the_epoch():
    backbone = build_backbone()
    stages = TrainingStages(backbone, {6: "all", 2: 0, 4: 1}, True)
    counts = {0: 4, 1: 4, 2: 0, 3: 0, 4: 2, 5: 2, 6: 4, 9: 4}
    for epoch in [0, 1, 2, 3, 4, 5, 6, 9, 4, 0, 6, 2]:
        stages.enter(epoch)
        assert len(backbone.trainable_variables) == counts[epoch]


def test_enter_tells_whether_the_stage_is_another():
    stages = TrainingStages(build_backbone(), {1: 0, 3: "all"}, True)
    assert [stages.enter(epoch) for epoch in range(5)] == [
        *(False, True, False, True, False),
    ]
    stages.leave()
    assert stages.enter(3)


def test_variables_of_all_stages_and_of_now():
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
