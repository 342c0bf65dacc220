import functools

import keras
import numpy as np
import pytest

from keras_fewlabels.foundation import inner_optimizer
from keras_fewlabels.loops.noisy_student.build_student import (
    builder_of,
    comes_from_loop,
    layers_know_labels,
    mark_layers_trained,
    optimizer_of_loop,
)


def build(width):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(width)])


class Builder:
    """An object that can be called."""

    def __call__(self, generation):
        return build(10 + generation)


class BuilderOfOne:
    """An object that can be called without a generation."""

    def __call__(self):
        return build(1)


def optional_generation(generation=5):
    return build(10 + generation)


def optional_width(width=1):
    return build(width)


def more_options(generation, width=10):
    return build(generation + width)


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def generation_in_front(generation, /):
    return build(10 + generation)


def any_arguments(*args, **kwargs):
    assert not args and not kwargs
    return build(1)


@pytest.mark.parametrize(
    "function, width",
    [
        (decorated(more_options), 12),
        (decorated(optional_width), 1),
        (generation_in_front, 12),
        (lambda *, generation: build(10 + generation), 12),
        (lambda *args: build(1), 1),
        (any_arguments, 1),
        (decorated(any_arguments), 1),
        # A generation that is fixed stays so.
        (functools.partial(more_options, generation=3), 13),
        (lambda generation: build(10 + generation), 12),
        (lambda number: build(10 + number), 12),
        (optional_generation, 12),
        (more_options, 12),
        (Builder(), 12),
        (Builder().__call__, 12),
        (functools.partial(more_options, width=20), 22),
        (functools.partial(lambda width, number: build(width + number), 7), 9),
        (lambda: build(1), 1),
        # A default is the caller's own affair, and no place for a number.
        (lambda width=32: build(width), 32),
        (optional_width, 1),
        (functools.partial(build, 7), 7),
        (functools.partial(build, width=7), 7),
        (lambda *, width=3: build(width), 3),
        (BuilderOfOne(), 1),
    ],
)
def test_functions_get_the_generation_if_they_ask_for_it(function, width):
    assert builder_of(function)(2).output_shape == (None, width)


def test_a_model_is_copied_with_its_weights():
    model = build(4)
    model.compile(keras.optimizers.SGD(0.125), "mse")
    builder = builder_of(model)
    first, second = builder(0), builder(1)
    for copy in (first, second):
        for ours, theirs in zip(
            copy.get_weights(), model.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
        # It is trained as the model would be.
        assert copy.loss == "mse" and copy.optimizer is not model.optimizer
        assert float(copy.optimizer.learning_rate) == 0.125
    first.set_weights([np.zeros((3, 4)), np.ones(4)])
    assert (second.get_weights()[1] == 0).all()
    assert (model.get_weights()[1] == 0).all()


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_model_of_the_loop_is_trained_by_the_loop_again(tmp_path, policy):
    # Keras wraps the optimizer of a model of mixed precision.
    keras.config.set_dtype_policy(policy)
    for is_trained in (False, True):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        assert not comes_from_loop(model)
        model.compile(optimizer_of_loop(), "mse")
        if is_trained:
            mark_layers_trained(model)
        model.save(tmp_path / "model.keras")

        def load():
            return keras.saving.load_model(tmp_path / "model.keras")

        for each in model, load():
            assert comes_from_loop(each)
            assert layers_know_labels(each) is is_trained
        for source in model, load:
            copy = builder_of(source)(0)
            assert not copy.compiled and copy.loss is None
            assert layers_know_labels(copy) is is_trained
    model.compile("sgd", "mse")
    assert not comes_from_loop(model) and not layers_know_labels(model)
    assert builder_of(model)(0).compiled


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_model_of_the_user_stays_compiled_when_its_layers_are_trained(
    tmp_path, policy
):
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    for _ in range(2):
        mark_layers_trained(model)
        model.save(tmp_path / "model.keras")
        for each in (
            model,
            keras.saving.load_model(tmp_path / "model.keras"),
            builder_of(model)(0),
        ):
            assert layers_know_labels(each) and not comes_from_loop(each)
            assert each.compiled and each.loss == "mse"
            name = inner_optimizer(each.optimizer).name
            assert name == "adam_fit_noisy_student_layers"


def test_a_function_of_more_than_the_generation_is_refused():
    def build_student(generation, width):
        return build(width)

    with pytest.raises(ValueError, match=r"`functools.partial`.*\(gen.*width"):
        builder_of(build_student)


def one_model():
    model = build(4)
    return lambda: model


def one_backbone():
    backbone = build(4)
    return lambda: keras.Sequential([keras.Input((3,)), backbone])


def one_model_of_each_generation():
    models = [build(4), build(5)]
    return lambda generation: models[generation]


def one_nested_layer():
    layer = keras.layers.Dense(4)
    return lambda: keras.Sequential(
        [keras.Input((3,)), keras.Sequential([layer, keras.layers.ReLU()])]
    )


@pytest.mark.parametrize(
    "make",
    [one_model, one_backbone, one_model_of_each_generation, one_nested_layer],
)
def test_models_that_share_weights_are_refused(make):
    builder = builder_of(make())
    builder(0)
    with pytest.raises(ValueError, match=r"a new model each time.*shares"):
        builder(0)


def test_models_that_share_no_weights_may_come_again():
    # The memory of a model that is gone may be used by the next one.
    builder = builder_of(lambda: build(4))
    for _ in range(20):
        builder(0)


@pytest.mark.parametrize(
    "build_student, expected",
    [
        ("mobilenet", "must be a function .*Received: str"),
        (None, "must be a function .*Received: NoneType"),
        ([build], "must be a function .*Received: list"),
    ],
)
def test_anything_else_is_refused(build_student, expected):
    with pytest.raises(ValueError, match=expected):
        builder_of(build_student)


def test_a_model_that_is_not_built_is_refused():
    model = keras.Sequential([keras.layers.Dense(2)], name="net")
    with pytest.raises(ValueError, match=r"must be built.*student='net'"):
        builder_of(model)(0)
