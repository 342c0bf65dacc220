import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.layers import StochasticDepth
from keras_fewlabels.models import add_stochastic_depth
from keras_fewlabels.models.stochastic_depth.add_stochastic_depth import (
    GraphSurgery,
)

APPLICATIONS = [
    ("ResNet50", 16),
    ("ResNet50V2", 16),
    ("MobileNetV2", 10),
    ("MobileNetV3Small", 6),
    ("EfficientNetB0", 9),
    ("EfficientNetV2B0", 15),
    ("ConvNeXtTiny", 18),
]


def build_model(num_blocks=2):
    inputs = keras.Input((4,), name="pixels")
    x = inputs
    for number in range(num_blocks):
        branch = layers.Dense(4, name=f"dense_{number}")(x)
        branch = layers.BatchNormalization(name=f"norm_{number}")(branch)
        x = layers.Add(name=f"add_{number}")([branch, x])
    return keras.Model(inputs, layers.Dense(2, name="head")(x), name="model")


def drops_of(model):
    return {
        layer.name: layer.rate
        for layer in model._flatten_layers()
        if isinstance(layer, StochasticDepth)
    }


def check_equal(model, noisy):
    shape = (2, *model.input_shape[1:])
    x = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    # Called, not by `predict()`: tracing a deep model takes many seconds.
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(noisy(x)),
        keras.ops.convert_to_numpy(model(x)),
        atol=1e-5,
    )
    names = [layer.name for layer in model._flatten_layers()]
    kept = [layer.name for layer in noisy._flatten_layers()]
    assert set(kept) - set(drops_of(noisy)) <= set(names)


def test_rates_grow_and_predictions_names_and_inputs_stay():
    model = build_model(4)
    noisy = add_stochastic_depth(model, final_rate=0.4)
    assert drops_of(noisy) == pytest.approx(
        {
            f"add_{number}_stochastic_depth": 0.1 * (number + 1)
            for number in range(4)
        }
    )
    check_equal(model, noisy)
    assert noisy.name == "model"
    assert noisy.predict({"pixels": np.ones((1, 4))}, verbose=0).shape == (1, 2)


def test_drops_the_branch_and_never_the_shortcut():
    model = build_model(1)
    model.get_layer("head").set_weights([np.ones((4, 2)), np.zeros(2)])
    model.get_layer("norm_0").trainable = False
    noisy = add_stochastic_depth(model, final_rate=0.75, seed=0)
    x = np.ones((64, 4), "float32")
    shortcut = 4.0
    gain = keras.ops.convert_to_numpy(noisy(x, training=True)) - shortcut
    full = model.predict(x, verbose=0) - shortcut
    dropped = np.isclose(gain, 0, atol=1e-6)
    assert 0.6 < dropped.mean() < 0.9
    np.testing.assert_allclose(gain[~dropped], 4 * full[~dropped], rtol=1e-4)


def test_the_model_stays_as_it_is():
    model = build_model()
    noisy = add_stochastic_depth(model)
    assert drops_of(model) == {}
    noisy.set_weights([0 * weight for weight in noisy.get_weights()])
    assert model.get_weights()[0].any()


def test_nested_models_and_trainable_flags():
    backbone = build_model()
    backbone.get_layer("dense_0").trainable = False
    backbone.get_layer("dense_1").bias.trainable = False
    inputs = keras.Input((4,))
    outputs = layers.Dense(1)(backbone(inputs))
    model = keras.Model(inputs, outputs)
    nested = keras.Sequential([keras.Input((4,)), layers.Rescaling(2.0), model])
    noisy = add_stochastic_depth(nested)
    check_equal(nested, noisy)
    assert len(drops_of(noisy)) == 2
    paths = [v.path.split("/")[-2:] for v in nested.trainable_variables]
    assert paths == [v.path.split("/")[-2:] for v in noisy.trainable_variables]


def test_result_trains_and_survives_saving(tmp_path):
    model = build_model()
    model.compile("sgd", "mse")
    noisy = add_stochastic_depth(model, final_rate=0.5)
    noisy.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    noisy.save(tmp_path / "noisy.keras")
    loaded = keras.saving.load_model(tmp_path / "noisy.keras")
    assert drops_of(loaded) == drops_of(noisy)
    check_equal(noisy, loaded)


def test_half_precision_stays_half():
    keras.config.set_dtype_policy("mixed_float16")
    model = build_model()
    keras.config.set_dtype_policy("float32")
    noisy = add_stochastic_depth(model)
    assert noisy.output.dtype == model.output.dtype == "float16"
    assert noisy.get_layer("add_0").input[0].dtype == "float16"


def test_replaces_layers_that_drop_already():
    inputs = keras.Input((4,))
    branch = layers.Dense(4)(inputs)
    branch = layers.Dropout(0.9, noise_shape=(None, 1), name="own")(branch)
    model = keras.Model(inputs, layers.Add(name="add")([inputs, branch]))
    with pytest.raises(ValueError, match=r"drops branches already.*\['own'\]"):
        add_stochastic_depth(model)
    noisy = add_stochastic_depth(model, 0.3, replace=True)
    assert drops_of(noisy) == {"add_stochastic_depth": 0.3}
    assert "own" not in [layer.name for layer in noisy.layers]
    check_equal(model, noisy)


def test_replaces_layers_in_a_nested_sequential_model():
    branch = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(4),
            layers.Dropout(0.9, noise_shape=(None, 1), name="own"),
        ],
        name="branch",
    )
    inputs = keras.Input((4,))
    added = layers.Add(name="add")([inputs, branch(inputs)])
    model = keras.Model(inputs, added)
    noisy = add_stochastic_depth(model, 0.3, replace=True)
    assert len(noisy.get_layer("branch").layers) == 1
    check_equal(model, noisy)


def test_refuses_to_replace_what_adds_by_itself():
    inputs = keras.Input((4,))
    x = StochasticDepth(0.1, name="pair")([inputs, layers.Dense(4)(inputs)])
    x = layers.Add()([x, layers.Dense(4)(x)])
    with pytest.raises(ValueError, match=r"replace=True.*\['pair'\]"):
        add_stochastic_depth(keras.Model(inputs, x), replace=True)


def test_rejects_a_model_without_graph_or_residual_addition():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.inner = keras.Sequential([layers.Dense(4)])
            self.drop = layers.Dropout(0.1, noise_shape=(None, 1), name="own")

        def call(self, x, training=None):
            return x + self.drop(self.inner(x), training=training)

    class Subclassed(keras.Model):
        pass

    with pytest.raises(ValueError, match="functional or `Sequential` model"):
        add_stochastic_depth(Subclassed())
    nested = keras.Sequential([keras.Input((4,)), Block()])
    model = keras.Sequential([keras.Input((4,)), nested], name="closed")
    message = r"`call`: \['block'\];.*\['own'\]. Received: model='closed'"
    for replace in (False, True):
        with pytest.raises(ValueError, match=message):
            add_stochastic_depth(model, replace=replace)


def test_rejects_a_rate_outside_of_0_to_1():
    with pytest.raises(ValueError, match="Received: final_rate=1"):
        add_stochastic_depth(build_model(), 1)


def check_application(name, num_branches, size):
    build = getattr(keras.applications, name)
    model = build(weights=None, include_top=False, input_shape=(size, size, 3))
    noisy = add_stochastic_depth(model, replace="Efficient" in name)
    assert len(drops_of(noisy)) == num_branches
    check_equal(model, noisy)


@pytest.mark.tensorflow  # On JAX it takes half a minute: see the slow ones.
def test_an_application_predicts_as_before():
    check_application("MobileNetV2", 10, size=32)


@pytest.mark.slow
@pytest.mark.parametrize("name, num_branches", APPLICATIONS)
def test_applications_predict_as_before(name, num_branches):
    check_application(name, num_branches, size=64)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["VGG16", "DenseNet121"])
def test_applications_without_residual_branches_say_so(name):
    build = getattr(keras.applications, name)
    model = build(weights=None, include_top=False, input_shape=(32, 32, 3))
    with pytest.raises(ValueError, match="no addition of a residual branch"):
        add_stochastic_depth(model)


X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def predicted(model):
    return keras.ops.convert_to_numpy(model(X))


def dropping_model():
    inputs = keras.Input((4,), name="pixels")
    branch = layers.Dense(4, name="dense")(inputs)
    branch = layers.Dropout(0.5, name="own")(branch)
    x = layers.Add(name="join")([inputs, branch])
    return keras.Model(inputs, x + layers.Dense(4, name="second")(x))


def operations_of(model):
    return {operation.name: operation for operation in model.operations}


def test_drops_go_in_front_of_the_chosen_input():
    model = dropping_model()
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
    model = dropping_model()
    addition = model.get_layer("join")
    copy = GraphSurgery({id(addition): (1, 0.25)}, set()).copy(model)
    assert copy.get_layer("join_stochastic_depth").seed is None


def test_removed_layers_pass_their_input_on():
    model = dropping_model()
    copy = GraphSurgery({}, {id(model.get_layer("own"))}).copy(model)
    assert "own" not in operations_of(copy)
    branch = copy.get_layer("join").input[1]
    assert branch._keras_history.operation.name == "dense"


@pytest.mark.parametrize("wrap", ["functional", "sequential"])
def test_nested_models_are_changed_where_they_are(wrap):
    inner = dropping_model()
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
