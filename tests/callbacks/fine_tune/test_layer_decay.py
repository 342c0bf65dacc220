import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks import FineTune
from keras_fewlabels.callbacks.fine_tune.layer_decay import layer_blocks

FACTORS = {"low": 0.25, "middle": 0.5, "high": 1.0, "head": 1.0}


def names(backbone):
    return [
        [layer.name for layer in block if layer.weights]
        for block in layer_blocks(backbone)
    ]


def test_blocks_of_a_chain_are_layers_with_their_normalization():
    backbone = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, name="low"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Dense(3, name="high"),
        ]
    )
    assert names(backbone) == [["low", "norm"], ["high"]]


def test_blocks_of_a_residual_network_end_at_its_additions():
    inputs = keras.Input((4,))
    x = layers.Dense(4, name="stem")(inputs)
    for number in range(2):
        branch = layers.Dense(4, name=f"a{number}")(x)
        branch = layers.Dense(4, name=f"b{number}")(branch)
        x = layers.Add()([x, branch])
    x = layers.Dense(4, name="top")(x)
    assert names(keras.Model(inputs, x)) == [
        *(["stem", "a0", "b0"], ["a1", "b1"], ["top"]),
    ]


def test_blocks_of_nested_layers():
    def nested(name):
        return keras.Sequential([keras.Input((4,)), layers.Dense(4)], name=name)

    backbone = keras.Sequential([keras.Input((4,)), nested("a"), nested("b")])
    assert names(backbone) == [["a"], ["b"]]


def build_model(optimizer):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    x = inputs
    for name in ("low", "middle", "high"):
        x = layers.Dense(4, name=name)(x)
    backbone = keras.Model(inputs, x, name="backbone")
    head = layers.Dense(1, name="head")
    model = keras.Sequential([keras.Input((4,)), backbone, head])
    model.compile(optimizer, "mse", run_eagerly=True)
    return model


def updates(optimizer, **kwargs):
    model = build_model(optimizer)
    before = {w.path: keras.ops.convert_to_numpy(w) for w in model.weights}
    fine_tune = FineTune("backbone", {0: "all"}, **kwargs)
    x = np.random.default_rng(0).normal(size=(8, 4))
    model.fit(x, x[:, :1], batch_size=8, verbose=0, callbacks=[fine_tune])
    return {
        path.split("/")[-2]: keras.ops.convert_to_numpy(weight) - before[path]
        for path, weight in ((w.path, w) for w in model.weights)
        if path.endswith("kernel")
    }


@pytest.mark.parametrize("weight_decay", [None, 0.1])
@pytest.mark.parametrize(
    "build",
    [keras.optimizers.SGD, keras.optimizers.Adam, keras.optimizers.RMSprop],
    ids=lambda build: build.__name__,
)
def test_updates_are_scaled_block_by_block(build, weight_decay):
    plain = updates(build(0.01, weight_decay=weight_decay))
    decayed = updates(build(0.01, weight_decay=weight_decay), layer_decay=0.5)
    # The decayed weights enter the update, so the last digits differ.
    for name, factor in FACTORS.items():
        np.testing.assert_allclose(
            decayed[name], factor * plain[name], rtol=2e-3, atol=1e-7
        )


def test_the_optimizer_gets_its_own_update_back():
    model = build_model("sgd")
    x = np.ones((8, 4))
    fine_tune = FineTune("backbone", {0: "all"}, layer_decay=0.5)
    model.fit(x, x[:, :1], verbose=0, callbacks=[fine_tune])
    assert not {"_backend_update_step", "_apply_weight_decay"} & set(
        vars(model.optimizer)
    )


def test_works_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    plain = updates(keras.optimizers.SGD(0.01))
    decayed = updates(keras.optimizers.SGD(0.01), layer_decay=0.5)
    for name, factor in FACTORS.items():
        np.testing.assert_allclose(
            decayed[name], factor * plain[name], rtol=1e-2, atol=1e-6
        )


def test_refuses_nadam():
    with pytest.raises(ValueError, match="Received: optimizer='nadam'"):
        updates(keras.optimizers.Nadam(), layer_decay=0.5)
