import types

import keras
import numpy as np
import pytest
from keras import layers
from models_as_arguments import (
    IMAGES,
    Steps,
    Task,
    compiled,
    plain,
    tensors,
)

from keras_fewlabels.foundation import (
    check_built,
    check_called,
    check_one_input,
    check_strategy,
    has_own_predict,
    input_shape_of,
)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten, self.dense = layers.Flatten(), layers.Dense(2)

    def call(self, images):
        return self.dense(self.flatten(images))


class TwoCalls(Subclassed):
    def call(self, images, other):
        return self.dense(self.flatten(images)) + other


class OfADict(Subclassed):
    def call(self, inputs):
        return self.dense(self.flatten(inputs["image"])) + inputs["other"]


def of_layers():
    return keras.Sequential([keras.Input((4, 5, 1)), layers.Flatten()])


def called():
    model = Subclassed()
    model(np.ones((3, 4, 5, 1)))
    return model


def of_a_dict():
    images = keras.Input((4, 5, 1), name="image")
    return keras.Model({"image": images}, layers.Flatten()(images))


@pytest.mark.parametrize(
    "make, sizes",
    [
        (of_layers, (4, 5, 1)),
        (of_a_dict, (4, 5, 1)),
        (called, (4, 5, 1)),
        (lambda: keras.Model(*tensors()), (32, 32, 1)),
    ],
)
def test_input_shapes(make, sizes):
    model = make()
    assert input_shape_of(model)[1:] == sizes
    check_one_input(model, "student")


def test_a_model_that_is_not_built_tells_nothing():
    assert input_shape_of(Subclassed()) is None
    assert input_shape_of(keras.Sequential([layers.Dense(3)])) is None
    assert input_shape_of(layers.Dense(3)) is None


@pytest.mark.parametrize("in_dict", [True, False])
def test_subclassed_models_of_several_inputs(in_dict):
    model = OfADict() if in_dict else TwoCalls()
    inputs = {"image": np.ones((3, 4, 5, 1)), "other": np.ones((3, 2))}
    model(inputs) if in_dict else model(*inputs.values())
    with pytest.raises(ValueError, match=r"student must take images and"):
        check_one_input(model, "student")


def predicts_by(name):
    """A model whose method of that name was replaced on the instance."""
    model = plain()

    def predict(self, x, **kwargs):
        return keras.Model.predict(self, x / 255, **kwargs)

    setattr(model, name, types.MethodType(predict, model))
    return model


def test_a_model_without_weights_is_not_built():
    model = Subclassed()
    model.build((None, 4, 5, 1))
    assert model.built
    for unbuilt in (model, Subclassed(), keras.Sequential([layers.Dense(3)])):
        with pytest.raises(ValueError, match="student must be built"):
            check_built(unbuilt, "student")
    check_built(called(), "student")
    check_built(of_layers(), "student")


class Averages(Steps):
    """A model that averages the scores of an image and its mirror image."""

    predict_step = keras.Model.predict_step

    def predict(self, x, **kwargs):
        mirrored = super().predict(x[:, :, ::-1] / 2, **kwargs)
        return (super().predict(x, **kwargs) + mirrored) / 2


@pytest.mark.parametrize(
    "make", [Task, Steps, Averages, lambda: predicts_by("predict")]
)
def test_a_call_that_gives_other_scores_than_predict(make):
    with pytest.raises(ValueError, match=r"teacher is called.*keras-hub"):
        check_called(make(), "teacher")
    with pytest.raises(ValueError, match=r"teacher is called.*keras-hub"):
        check_called(make(), "teacher", IMAGES[:2])


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("make", [Task, Steps, Averages])
def test_a_head_of_zeros_hides_nothing(make, trainable):
    model = make()
    *_, kernel, _ = model.weights
    kernel.assign(keras.ops.zeros(kernel.shape))
    model.trainable = trainable
    before = [np.array(weight) for weight in model.get_weights()]
    with pytest.raises(ValueError, match=r"teacher is called.*keras-hub"):
        check_called(model, "teacher")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


class Rounds(keras.Model):
    """A model with a step of its own that changes nothing of the scores."""

    def predict_step(self, *args):
        return super().predict_step(*args)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_own_methods_that_change_nothing_are_let_through(dtype):
    keras.config.set_dtype_policy(dtype)
    check_called(Rounds(*tensors()), "model")
    task = Task()
    task.preprocessor = None
    check_called(task, "model")
    task.layers[-1].kernel.assign(keras.ops.zeros((16, 3)))
    check_called(task, "model")
    assert has_own_predict(task) and not has_own_predict(plain())


@pytest.mark.tensorflow
def test_models_of_another_strategy_are_refused():
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        inside = compiled(keras.Model(*tensors()))
        check_strategy(inside, "student")
    outside = plain()
    check_strategy(outside, "student")
    expected = r"`with strategy.scope\(\):`.*another scope than that of {}"
    with pytest.raises(ValueError, match=expected.format("Default")):
        check_strategy(inside, "student")
    with (
        strategy.scope(),
        pytest.raises(ValueError, match=expected.format("Mirrored")),
    ):
        check_strategy(outside, "student")
