"""Each private member of Keras is there and does what we take it to do."""

import ast
import pathlib
import re

import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels
from keras_fewlabels.foundation import keras_internals as internals

PACKAGE = pathlib.Path(keras_fewlabels.__file__).parent


def functional():
    inputs = keras.Input((4,), name="features")
    hidden = layers.Dense(3, name="hidden")(inputs)
    return keras.Model(inputs, layers.Dense(2, name="head")(hidden))


def compiled():
    model = functional()
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def test_variables_are_read_in_their_own_dtype():
    seen = []

    class Look(layers.Layer):
        def build(self, input_shape):
            self.weight = self.add_weight(shape=())

        def call(self, x):
            with internals.own_dtypes():
                seen.append(self.weight.dtype)
            seen.append(self.weight.dtype)
            return x

    Look(dtype="mixed_bfloat16")(np.ones(3))
    assert seen == ["float32", "bfloat16"]


def test_what_layers_have_added_to_the_loss_is_kept():
    class Adds(layers.Layer):
        def call(self, x, training=False):
            self.add_loss(keras.ops.mean(x))
            return x

    layer = keras.Sequential([keras.Input((3,)), Adds()])
    layer(np.ones((1, 3)))
    with internals.losses_kept(layer):
        layer(2 * np.ones((1, 3)))
        assert [float(loss) for loss in layer.losses] == [2]
    assert [float(loss) for loss in layer.losses] == [1]


@pytest.mark.parametrize("steps", [None, 3])
def test_whether_an_optimizer_has_moved_the_weights(steps):
    model = functional()
    optimizer = keras.optimizers.SGD(0.5, gradient_accumulation_steps=steps)
    model.compile(optimizer, "mse")
    seen = []
    for _ in range(6):
        before = model.get_weights()
        model.train_on_batch(np.ones((2, 4)), np.zeros((2, 2)))
        is_new = (before[0] != model.get_weights()[0]).any()
        found = internals.has_stepped(optimizer)
        assert found is None or bool(found) == is_new
        seen.append(bool(is_new))
    assert seen == ([False, False, True] * 2 if steps else [True] * 6)


def test_layers_without_weights_are_built_at_once():
    class Plain(layers.Layer):
        def __init__(self):
            super().__init__()
            internals.build_at_init(self)

    class Weighted(Plain):
        def build(self, input_shape):
            self.weight = self.add_weight(shape=())

    assert Plain().built
    assert not Weighted().built


def test_flatten_layers_goes_into_models():
    outer = keras.Sequential([keras.Input((4,)), functional()])
    names = [layer.name for layer in internals.flatten_layers(outer)]
    assert {"hidden", "head"} < set(names) and names[0] == outer.name
    direct = internals.flatten_layers(outer, False, False)
    assert "hidden" not in [layer.name for layer in direct]


def test_has_layers_and_own_variables():
    model = functional()
    assert internals.has_layers(model)
    dense = model.get_layer("hidden")
    assert not internals.has_layers(dense)
    dense.trainable = False
    own = internals.own_trainable_variables(dense)
    assert [v.name for v in own] == ["kernel", "bias"]
    assert internals.own_trainable_variables(model) == []


def test_graph_of_finds_that_of_a_sequential():
    model = functional()
    assert internals.graph_of(model) is model
    sequential = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert internals.is_graph(sequential)
    graph = internals.graph_of(sequential)
    assert [type(o).__name__ for o in graph.operations] == [
        "InputLayer",
        "Dense",
    ]
    assert internals.graph_of(layers.Dense(2)) is None


def test_nodes_and_calls():
    model = functional()
    nodes = internals.nodes_in_order(model)
    assert [node.operation.name for node in nodes] == [
        "features",
        "hidden",
        "head",
    ]
    (tensors,) = internals.input_tensors_of_calls(model.get_layer("head"))
    assert tensors[0] is nodes[1].outputs[0]


def test_copy_input_keeps_the_name_of_the_layer():
    copy = internals.copy_input(functional().inputs[0])
    model = keras.Model(copy, keras.layers.Identity()(copy))
    assert model.inputs[0].shape == (None, 4)
    assert copy._keras_history.operation.name == "features"


def test_model_between_takes_nothing_but_its_inputs():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(4)(inputs)
    outputs = keras.layers.Dense(2)(hidden)
    model = internals.model_between(hidden, outputs)
    assert model(np.ones((3, 4))).shape == (3, 2)
    both = keras.layers.Add()([inputs, hidden])
    with pytest.raises(ValueError, match=r"not connected|depend on"):
        internals.model_between(hidden, both)


def test_run_through_graph_lets_the_caller_call():
    model = functional()
    called = []

    def call(operation, *args, **kwargs):
        called.append(operation.name)
        return operation(*args, **kwargs)

    inputs = np.ones((2, 4), "float32")
    outputs = internals.run_through_graph(model, inputs, call)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(outputs), model.predict(inputs, verbose=0)
    )
    assert called == ["hidden", "head"]


def test_compile_settings_are_the_same_objects():
    model = functional()
    loss = keras.losses.MeanSquaredError()
    model.compile("sgd", loss)
    assert internals.compile_settings(model)["loss"] is loss


@pytest.mark.parametrize(
    ("epoch", "expected"), [(2, [2, 3]), (None, [0, 1, 2, 3])]
)
def test_set_initial_epoch_moves_a_fit(epoch, expected):
    seen = []

    class Move(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            internals.set_initial_epoch(self.model, epoch)

        def on_epoch_begin(self, epoch, logs=None):
            seen.append(epoch)

    model = compiled()
    x = np.ones((2, 4))
    model.fit(x, np.ones((2, 2)), epochs=4, callbacks=[Move()], verbose=0)
    internals.set_initial_epoch(model, None)
    assert seen == expected


def test_learning_rate_as_given():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    optimizer = keras.optimizers.SGD(schedule)
    assert internals.compiled_learning_rate(optimizer) is schedule
    scaled = keras.optimizers.LossScaleOptimizer(optimizer)
    assert internals.inner_optimizer(scaled) is optimizer
    assert internals.compiled_learning_rate(scaled) is schedule


def test_state_of_an_optimizer_is_forgotten_but_for_step_and_rate():
    model = functional()
    model.compile(keras.optimizers.Adam(0.25), "mse")
    model.fit(np.ones((2, 4)), np.ones((2, 2)), epochs=3, verbose=0)
    optimizer = model.optimizer
    assert internals.optimized_variables(optimizer) == model.trainable_variables
    assert len(internals.optimizer_state(optimizer)) == 2 + 2 * 4
    internals.forget_optimizer_state(optimizer)
    assert len(internals.optimizer_state(optimizer)) == 2
    assert int(optimizer.iterations) == 3 and not optimizer.built
    optimizer.build(model.trainable_variables[:2])
    assert len(internals.optimizer_state(optimizer)) == 2 + 2 * 2


def test_update_is_replaced_and_restored():
    model = compiled()
    before = model.get_weights()

    def wrap(update):
        def halved(gradients, variables, learning_rate):
            update(gradients, variables, learning_rate / 2)

        return halved

    x, y = np.ones((2, 4)), np.ones((2, 2))
    internals.replace_update(model.optimizer, wrap, lambda decay: decay)
    model.fit(x, y, verbose=0)
    halved = model.get_weights()
    internals.restore_update(model.optimizer)
    model.set_weights(before)
    model.make_train_function(force=True)
    model.fit(x, y, verbose=0)
    for start, half, full in zip(
        before, halved, model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(2 * (half - start), full - start, atol=1e-6)
    assert "_backend_update_step" not in vars(model.optimizer)


@pytest.mark.tensorflow
def test_several_workers_are_built_by_a_method_that_keras_has():
    assert callable(keras.Model._maybe_symbolic_build)
    assert callable(keras.Model._symbolic_build)


def test_no_other_file_touches_a_private_member():
    # `self._x`, `cls._x` and `def _x` in a file are members of its own classes.
    # `_repr_png_` and its like are a protocol of IPython.
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "keras_internals.py":
            continue
        source = path.read_text()
        ours = set(re.findall(r"\b(?:self|cls)\.(_[a-z]\w*)", source))
        ours |= set(re.findall(r"def (_[a-z]\w*)", source))
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.Attribute)
                and re.fullmatch(r"_(?!repr_)[a-z]\w*", node.attr)
                and not (
                    isinstance(node.value, ast.Name)
                    and node.value.id in ("self", "cls")
                )
                and node.attr not in ours
            ):
                place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                found.append(f"{place} {node.attr}")
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value in ("_functional", "_nodes_by_depth")
            ):
                found.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert found == []


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_predict_is_traced_once_for_batches_of_any_size(dtype):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    images = np.arange(14).reshape(7, 2).astype(dtype)
    expected = model(images)
    internals.trace_predict(model, images)
    found = [
        model.predict(images[:size], batch_size=3, verbose=0)
        for size in (7, 2, 1, 5)
    ]
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)
    internals.trace_predict(model, images)
    assert model.predict_function.experimental_get_tracing_count() == 1


@pytest.mark.tensorflow
def test_predict_is_not_traced_where_functions_run_eagerly(eager):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    internals.trace_predict(model, np.ones((7, 2), "float32"))
    assert model.predict_function is None


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "options", [{"run_eagerly": True}, {"steps_per_execution": 2}, {}]
)
def test_predict_works_where_it_is_not_traced_before(options):
    inputs = keras.Input((2,), batch_size=None if options else 3)
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model.compile(**options)
    images = np.ones((6, 2), "float32")
    internals.trace_predict(model, images)
    outputs = model.predict(images, batch_size=3, verbose=0)
    assert outputs.shape == (6, 3)
