import functools

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.build_student import builder_of


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


@pytest.mark.parametrize(
    "function, width",
    [
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
    with pytest.raises(ValueError, match=r"must be built.*model='net'"):
        builder_of(model)(0)
