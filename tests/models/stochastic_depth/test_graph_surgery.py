import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.layers import StochasticDepth
from keras_fewlabels.models.stochastic_depth.graph_surgery import GraphSurgery

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def predicted(model):
    return keras.ops.convert_to_numpy(model(X))


def build_model():
    inputs = keras.Input((4,), name="pixels")
    branch = layers.Dense(4, name="dense")(inputs)
    branch = layers.Dropout(0.5, name="own")(branch)
    x = layers.Add(name="join")([inputs, branch])
    return keras.Model(inputs, x + layers.Dense(4, name="second")(x))


def operations_of(model):
    return {operation.name: operation for operation in model.operations}


def test_drops_go_in_front_of_the_chosen_input():
    model = build_model()
    operations = operations_of(model)
    drops = {id(operations["join"]): (1, 0.25), id(operations["add"]): (0, 0.5)}
    copy = GraphSurgery(drops, set(), seed=3).copy(model)
    drop = copy.get_layer("join_stochastic_depth")
    assert (drop.rate, drop.seed) == (0.25, 3)
    assert drop.input._keras_history.operation.name == "own"
    drop = copy.get_layer("add_stochastic_depth")
    assert (drop.rate, drop.seed) == (0.5, 4)
    assert drop.input._keras_history.operation.name == "join"
    np.testing.assert_array_equal(predicted(copy), predicted(model))


def test_without_a_seed_each_drop_draws_one():
    model = build_model()
    addition = model.get_layer("join")
    copy = GraphSurgery({id(addition): (1, 0.25)}, set()).copy(model)
    assert copy.get_layer("join_stochastic_depth").seed is None


def test_removed_layers_pass_their_input_on():
    model = build_model()
    copy = GraphSurgery({}, {id(model.get_layer("own"))}).copy(model)
    assert "own" not in operations_of(copy)
    branch = copy.get_layer("join").input[1]
    assert branch._keras_history.operation.name == "dense"


@pytest.mark.parametrize("wrap", ["functional", "sequential"])
def test_nested_models_are_changed_where_they_are(wrap):
    inner = build_model()
    if wrap == "functional":
        inputs = keras.Input((4,))
        model = keras.Model(inputs, layers.Dense(2)(inner(inputs)))
    else:
        model = keras.Sequential([keras.Input((4,)), inner, layers.Dense(2)])
    drops = {id(inner.get_layer("join")): (1, 0.25)}
    copy = GraphSurgery(drops, set()).copy(model)
    found = [
        layer
        for layer in copy.get_layer(inner.name).layers
        if isinstance(layer, StochasticDepth)
    ]
    assert len(found) == 1
    np.testing.assert_array_equal(predicted(copy), predicted(model))
