import keras
import numpy as np
import pytest

from keras_fewlabels.foundation import (
    batch_size_for,
    has_accelerator,
    predict_array,
)
from keras_fewlabels.foundation.models import predict_array as module


def two_outputs():
    inputs = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, {"a": keras.layers.Dense(3)(flat), "b": flat})


def images_of(dtype):
    return np.arange(7 * 16).reshape(7, 4, 4, 1).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
@pytest.mark.parametrize("batch_size", [3, 7, 32])
def test_outputs_are_those_of_predict(dtype, batch_size):
    model, images = two_outputs(), images_of(dtype)
    found = predict_array(model, images, batch_size)
    expected = model.predict(images, batch_size=batch_size, verbose=0)
    assert set(found) == set(expected) == {"a", "b"}
    for name, part in found.items():
        assert isinstance(part, np.ndarray)
        assert part.dtype == expected[name].dtype
        np.testing.assert_allclose(part, expected[name], rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"run_eagerly": True},
        pytest.param(
            {"steps_per_execution": 2},
            marks=pytest.mark.skipif(
                keras.backend.backend() == "torch",
                reason="Keras takes 1 alone with torch",
            ),
        ),
    ],
)
def test_models_compiled_in_other_ways_predict_the_same(options):
    model, images = two_outputs(), images_of("float32")
    expected = predict_array(model, images, 3)
    model.compile(**options)
    found = predict_array(model, images, 3)
    np.testing.assert_allclose(found["a"], expected["a"], rtol=1e-5)


def test_a_predict_of_its_own_is_called():
    class Doubling(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, inputs):
            return self.dense(keras.ops.reshape(inputs, (-1, 16)))

        def predict(self, x, **options):
            return super().predict(2 * x, **options)

    model, images = Doubling(), images_of("float32")
    model(images)
    expected = keras.ops.convert_to_numpy(model(2 * images))
    np.testing.assert_allclose(
        predict_array(model, images), expected, rtol=1e-5
    )


def test_a_predict_of_its_own_need_not_take_callbacks():
    class Narrow(keras.Sequential):
        def predict(self, x, batch_size=None, verbose="auto"):
            return super().predict(x, batch_size=batch_size, verbose=verbose)

    class Watch(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append((batch, self.params["steps"], len(logs["outputs"])))

    seen = []
    model = Narrow([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    found = predict_array(model, images_of("float32"), 3, [Watch()])
    assert found.shape == (7, 16)
    assert seen == [(2, 3, 7)]


@pytest.mark.tensorflow
def test_a_function_of_its_own_is_left_to_predict():
    seen = []

    class Own(keras.Sequential):
        def make_predict_function(self, force=False):
            super().make_predict_function(force)
            function = self.predict_function
            self.predict_function = lambda data: (
                seen.append(type(data[0])) or function(data)
            )

    model = Own([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    assert predict_array(model, images_of("float32"), 3).shape == (7, 16)
    assert seen and np.ndarray not in seen


@pytest.mark.parametrize("options", [{}, {"run_eagerly": True}])
def test_callbacks_see_each_batch(options):
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_predict_begin(self, logs=None):
            seen.append(self.params["steps"])

        def on_predict_batch_end(self, batch, logs=None):
            seen.append(batch)

        def on_predict_end(self, logs=None):
            seen.append("end")

    model = two_outputs()
    model.compile(**options)
    predict_array(model, images_of("uint8"), 3, [Watch()])
    assert seen == [3, 0, 1, 2, "end"]


def test_new_weights_are_seen():
    model, images = two_outputs(), images_of("float32")
    predict_array(model, images, 3)
    model.set_weights([np.zeros(part.shape) for part in model.get_weights()])
    assert not predict_array(model, images, 3)["a"].any()


@pytest.mark.parametrize(
    ("size", "on_cpu", "elsewhere"),
    [(8, 256, 256), (90, 32, 256), (160, 8, 64), (224, 8, 32), (9999, 1, 1)],
)
def test_large_images_pass_in_small_batches(
    size, on_cpu, elsewhere, monkeypatch
):
    for found, expected in ((False, on_cpu), (True, elsewhere)):
        monkeypatch.setattr(module, "has_accelerator", lambda has=found: has)
        assert batch_size_for((size, size, 3)) == expected


@pytest.mark.tensorflow
@pytest.mark.skipif(has_accelerator(), reason="has memory for whole batches")
def test_large_images_of_a_batch_pass_in_parts_on_a_cpu(monkeypatch):
    parts, batches = [], []
    trace_predict = module.trace_predict

    def trace(model, images):
        is_traced = trace_predict(model, images)
        predict = model.predict_function

        def seen(data):
            parts.append(len(data[0]))
            return predict(data)

        model.predict_function = seen
        return is_traced

    class Count(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            batches.append(len(logs["outputs"]))

    monkeypatch.setattr(module, "trace_predict", trace)
    model = keras.Sequential(
        [
            keras.Input((224, 224, 1)),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    images = np.random.default_rng(0).uniform(size=(15, 224, 224, 1))
    found = predict_array(model, images, 12, [Count()])
    np.testing.assert_allclose(found, images.mean(axis=(1, 2)), rtol=1e-4)
    assert parts == [8, 4, 3]
    assert batches == [12, 3]
