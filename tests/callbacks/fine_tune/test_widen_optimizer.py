import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks.fine_tune.widen_optimizer import widen_optimizer


class Pair(layers.Layer):
    """Two layers in a row, whose variables differ only in a layer's name."""

    def __init__(self, names):
        super().__init__(name="pair")
        self.parts = [layers.Dense(2, name=name) for name in names]

    def build(self, input_shape):
        for part in self.parts:
            part.build(input_shape)

    def call(self, x):
        return self.parts[1](self.parts[0](x))


def build_model(optimizer, names=("low", "high")):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), Pair(names)])
    model.compile(optimizer, "mse", run_eagerly=True)
    return model


def fit(model):
    x = np.ones((4, 2), "float32")
    model.fit(x, 0 * x, epochs=2, batch_size=4, verbose=0)


def state_of(optimizer):
    # Nadam has a variable without a name, which Keras numbers.
    return {
        "unnamed" if v.name.startswith("variable") else (v.name, v.shape): (
            keras.ops.convert_to_numpy(v)
        )
        for v in optimizer.variables
    }


@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.Adam, keras.optimizers.Nadam]
)
@pytest.mark.parametrize("loss_scale", [False, True])
def test_state_carries_over_and_new_variables_start_fresh(
    optimizer, loss_scale
):
    optimizer = optimizer(0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    if loss_scale:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model = build_model(optimizer)
    low, high = model.trainable_variables[:2], model.trainable_variables[2:]
    for variable in low:
        variable.trainable = False
    fit(model)
    before = state_of(optimizer)
    widen_optimizer(model, low)
    after = state_of(optimizer)
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name], err_msg=str(name))
    fresh = [name for name in after if name not in before]
    assert len(fresh) == 4
    assert all((after[name] == 0).all() for name in fresh)
    known = optimizer._trainable_variables
    assert list(map(id, known)) == list(map(id, low + high))
    for variable in low:
        variable.trainable = True
    model.make_train_function(force=True)
    fit(model)
    assert (model.get_weights()[0] != 0).all()


def test_does_nothing_if_all_variables_are_known():
    model = build_model("adam")
    fit(model)
    before = model.optimizer.variables
    widen_optimizer(model, model.trainable_variables[:1])
    assert list(map(id, before)) == list(map(id, model.optimizer.variables))


def test_builds_an_optimizer_for_all_variables():
    model = build_model("adam")
    variables = model.trainable_variables
    model.trainable = False
    widen_optimizer(model, variables[::-1])
    known = model.optimizer._trainable_variables
    assert list(map(id, known)) == list(map(id, variables))


def test_rejects_state_behind_equal_paths():
    model = build_model("adam", names=("dense", "dense"))
    variables = model.trainable_variables
    assert variables[0].path == variables[2].path
    widen_optimizer(model, variables)  # Without state, paths do not matter.
    model = build_model("adam", names=("dense", "dense"))
    for variable in model.trainable_variables[:2]:
        variable.trainable = False
    fit(model)
    with pytest.raises(
        ValueError, match=r"Received: shared paths=\['seq.*/dense/"
    ):
        widen_optimizer(model, model.variables)


def test_rejects_averages_of_weights():
    model = build_model(keras.optimizers.SGD(use_ema=True))
    with pytest.raises(ValueError, match=r"Received: .* with use_ema=True"):
        widen_optimizer(model, model.trainable_variables)


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "OptimizerMap"), reason="needs Keras 3.13"
)
def test_rejects_several_optimizers():
    optimizers = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    model = build_model(keras.optimizers.MultiOptimizer(optimizers))
    with pytest.raises(ValueError, match="works with one optimizer"):
        widen_optimizer(model, model.trainable_variables)
