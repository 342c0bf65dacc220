import dataclasses

import keras
import numpy as np
import pytest

from keras_fewlabels.loops import recommend
from keras_fewlabels.loops.choose_settings import (
    choose_settings,
    chosen_pretrained,
)

IMAGES = np.random.default_rng(0).random((40, 4, 4, 3), "float32")
RECOMMENDED = recommend(
    keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    ),
    (IMAGES[:20], np.arange(20) % 2),
    IMAGES[20:],
)
UNUSED = {"magnitude": "`noise` takes its place"}


@pytest.mark.parametrize(
    "given",
    [
        {"magnitude": 7},
        # Also the recommended value, if somebody asks for it.
        {"magnitude": 10},
        dataclasses.replace(RECOMMENDED, magnitude=7),
        {**RECOMMENDED.to_dict(), "magnitude": 7},
    ],
    ids=str,
)
def test_a_setting_without_an_effect_is_refused(given):
    expected = "'magnitude' would have no effect: `noise` takes its place"
    with pytest.raises(ValueError, match=expected):
        choose_settings(given, RECOMMENDED, UNUSED)


@pytest.mark.parametrize(
    "given",
    [None, {"flip": False}, RECOMMENDED, RECOMMENDED.to_dict()],
    ids=["none", "another", "recommended", "from a file"],
)
def test_a_setting_without_an_effect_is_named(given):
    settings = choose_settings(given, RECOMMENDED, UNUSED)
    assert settings.why["magnitude"] == "not used: `noise` takes its place"
    assert RECOMMENDED.why["magnitude"] != settings.why["magnitude"]


def test_a_policy_is_for_the_loop_of_noisy_student():
    no_layers = {"policy": None, "noise": None, "weak_noise": None}
    assert chosen_pretrained(None, no_layers) is None
    assert chosen_pretrained({"flip": True}, no_layers) is None
    assert chosen_pretrained(RECOMMENDED, no_layers) is False
    layers = {**no_layers, "policy": "policy"}
    for choice in None, {"flip": True}, {"pretrained": False}, RECOMMENDED:
        assert chosen_pretrained(choice, layers) is False


@pytest.mark.parametrize("name", ["policy", "weak_noise"])
def test_a_layer_for_pseudo_labels_is_refused_where_none_are_made(name):
    layers = {"policy": None, "noise": "noise", "weak_noise": None}
    for choice in (
        {"pretrained": True},
        dataclasses.replace(RECOMMENDED, pretrained=True),
    ):
        assert chosen_pretrained(choice, layers) is True
        with pytest.raises(ValueError, match=f"`{name}` would have no effect"):
            chosen_pretrained(choice, {**layers, name: name})
