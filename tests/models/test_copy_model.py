import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.models.copy_model import GraphCopy, copy_model

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


@pytest.mark.parametrize("copy_of", [copy_model, lambda m: GraphCopy().copy(m)])
def test_copies_are_compiled_as_the_original(copy_of):
    model = build_model()
    assert not copy_of(model).compiled
    model.compile(keras.optimizers.SGD(0.25), "mse")
    copy = copy_of(model)
    assert copy.optimizer is not model.optimizer
    assert float(copy.optimizer.learning_rate) == 0.25


class OwnLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)


def own_metric(y_true, y_pred):
    return keras.ops.mean(y_pred, axis=-1)


class OwnMetric(keras.metrics.MeanAbsoluteError):
    pass


class MetricWithoutConfig(keras.metrics.Mean):
    def __init__(self, size):
        super().__init__()


@pytest.mark.parametrize("copy_of", [copy_model, lambda m: GraphCopy().copy(m)])
def test_losses_and_metrics_that_are_not_registered(copy_of):
    model = build_model()
    loss, metric = OwnLoss(), OwnMetric()
    model.compile(
        keras.optimizers.SGD(0.25), loss, metrics=[own_metric, metric]
    )
    copy = copy_of(model)
    assert copy.optimizer is not model.optimizer
    assert float(copy.optimizer.learning_rate) == 0.25
    assert copy.loss is loss and model.compiled
    copy.fit(X, X, verbose=0)
    assert copy.evaluate(X, X, verbose=0, return_dict=True).keys() >= {
        "own_metric"
    }
    # A metric adds up, so a copy has its own.
    assert float(keras.ops.convert_to_numpy(metric.total)) == 0


def test_a_metric_that_cannot_be_copied_is_named():
    model = build_model()
    model.compile("sgd", "mse", metrics=[MetricWithoutConfig(3)])
    with pytest.raises(ValueError, match="Received: <MetricWithoutConfig"):
        copy_model(model)
    assert model.compiled


def test_sequential_models_stay_sequential():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model = keras.Sequential([keras.Input((4,)), inner, layers.Dense(2)])
    model.compile("sgd", "mse")
    copy = GraphCopy().copy(model)
    assert isinstance(copy, keras.Sequential) and copy.compiled
    assert isinstance(copy.layers[0], keras.Sequential)
    assert [layer.name for layer in copy.layers] == [
        layer.name for layer in model.layers
    ]
    np.testing.assert_array_equal(predicted(copy), predicted(model))


@pytest.mark.parametrize("wrap", ["functional", "sequential"])
def test_what_is_left_out_passes_its_input_on(wrap):
    class WithoutDropout(GraphCopy):
        def copy_layer(self, operation):
            if isinstance(operation, layers.Dropout):
                return None
            return super().copy_layer(operation)

    noise = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5)])
    parts = [layers.Dense(4), noise, layers.Dropout(0.5), layers.Dense(4)]
    model = keras.Sequential([keras.Input((4,)), *parts])
    if wrap == "functional":
        model = keras.Model(model.inputs, model.outputs)
    copy = WithoutDropout().copy(model)
    kinds = [type(layer).__name__ for layer in copy.layers]
    assert kinds[-2:] == ["Dense", "Dense"] and len(kinds) <= 3
    np.testing.assert_array_equal(predicted(copy), predicted(model))


def test_a_copy_without_changes_shares_nothing_and_predicts_the_same():
    model = build_model()
    copy = GraphCopy().copy(model)
    np.testing.assert_array_equal(predicted(copy), predicted(model))
    assert list(operations_of(copy)) == list(operations_of(model))
    assert not set(map(id, copy.layers)) & set(map(id, model.layers))
    copy.get_layer("dense").set_weights([np.zeros((4, 4)), np.zeros(4)])
    assert model.get_layer("dense").get_weights()[0].any()


def test_a_layer_that_is_called_twice_stays_one_layer():
    inputs = keras.Input((4,))
    dense = layers.Dense(4, name="dense")
    model = keras.Model(inputs, dense(dense(inputs)))
    copy = GraphCopy().copy(model)
    assert len(copy.weights) == 2
    np.testing.assert_array_equal(predicted(copy), predicted(model))


class OfTensors(keras.Model):
    pass


class OfWidth(keras.Model):
    # As the backbones of keras-cv are.
    def __init__(self, *, width):
        inputs = keras.Input((4,))
        super().__init__(inputs, keras.layers.Dense(width)(inputs))


def test_a_class_stays_where_its_constructor_takes_tensors():
    inputs = keras.Input((4,))
    tensors = OfTensors(inputs, keras.layers.Dense(3)(inputs))
    for model, kind in ((tensors, OfTensors), (OfWidth(width=3), keras.Model)):
        copy = GraphCopy().copy(model)
        assert isinstance(copy, kind) and not isinstance(copy, OfWidth)
        np.testing.assert_array_equal(predicted(copy), predicted(model))


def test_trainable_flags_of_models_layers_and_variables_are_copied():
    model = build_model()
    model.get_layer("dense").trainable = False
    model.get_layer("second").bias.trainable = False
    copy = GraphCopy().copy(model)
    names = [variable.path for variable in copy.trainable_variables]
    assert names == ["second/kernel"]
    model.trainable = False
    assert not GraphCopy().copy(model).trainable_variables


def test_names_of_inputs_stay():
    copy = GraphCopy().copy(build_model())
    assert copy.layers[0].name == copy.inputs[0].name == "pixels"


class Net(keras.Model):
    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.dense, self.norm = layers.Dense(width), layers.BatchNormalization()

    def get_config(self):
        return {"width": self.width}

    def call(self, x, training=None):
        return self.norm(self.dense(x), training=training)


class WithoutConfig(Net):
    def __init__(self, layer):
        super().__init__()
        self.dense = layer


class WithoutArguments(Net):
    get_config = keras.Model.get_config

    def __init__(self):
        super().__init__(width=2)


class WithoutConfigOfRate(keras.Model):
    """Keras makes a copy with the default rate, which no weight tells."""

    def __init__(self, rate=0.5):
        super().__init__()
        self.dropout, self.dense = layers.Dropout(rate), layers.Dense(2)

    def call(self, x, training=None):
        return self.dense(self.dropout(x, training=training))


class OtherWeights(Net):
    def get_config(self):
        return {"width": 5}


@pytest.mark.parametrize("make", [lambda: Net(width=2), WithoutArguments])
def test_subclassed_models(make):
    model = make()
    model(X)
    model.compile(keras.optimizers.SGD(0.25), "mse")
    model.norm.trainable = False
    model.norm.moving_mean.assign([0.5, -0.5])
    copy = copy_model(model)
    assert type(copy) is type(model)
    assert copy.loss == "mse" and copy.optimizer is not model.optimizer
    assert len(copy.trainable_weights) == 2
    np.testing.assert_allclose(predicted(copy), predicted(model), rtol=1e-6)
    copy.dense.kernel.assign_add(np.ones((4, 2)))
    assert np.abs(predicted(copy) - predicted(model)).max() > 0.1


@pytest.mark.parametrize(
    "make",
    [
        lambda: WithoutConfig(layers.Dense(2)),
        lambda: WithoutConfigOfRate(0.1),
        OtherWeights,
    ],
)
def test_subclassed_models_that_have_no_copy(make):
    model = make()
    model(X)
    with pytest.raises(ValueError, match=r"`get_config\(\)`.*Received: model="):
        copy_model(model)
