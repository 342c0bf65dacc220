import keras
import numpy as np
import pytest

from keras_fewlabels.loops import recalibrate_batch_norm

X = np.random.default_rng(0).normal(2.0, 3.0, (22, 4, 5, 2)).astype("float32")


def build(*front):
    model = keras.Sequential(
        [
            keras.Input((4, 5, 2)),
            *front,
            keras.layers.BatchNormalization(momentum=0.75, epsilon=0.5),
            keras.layers.ReLU(),
            keras.layers.BatchNormalization(momentum=0.25, epsilon=0.5),
        ]
    )
    for layer, low in zip(norms(model), (0.5, 1.5), strict=True):
        layer.gamma.assign([low, low + 1])
        layer.beta.assign([-low, low])
        layer.moving_mean.assign([70.0, -70.0])
        layer.moving_variance.assign([70.0, 7.0])
    return model


def norms(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def statistics(model):
    return [
        np.array(keras.ops.convert_to_numpy(part))
        for layer in norms(model)
        for part in (layer.moving_mean, layer.moving_variance)
    ]


def expected_statistics(x, batch_size):
    """Means over batches, each layer after one of batch statistics."""
    found = []
    for low in (0.5, 1.5):
        batches = np.split(x, range(batch_size, len(x), batch_size))
        if len(batches) > 1:
            batches = [part for part in batches if len(part) == batch_size]
        means = [part.mean(axis=(0, 1, 2)) for part in batches]
        variances = [part.var(axis=(0, 1, 2)) for part in batches]
        found += [np.mean(means, axis=0), np.mean(variances, axis=0)]
        normalized = [
            (part - mean) / np.sqrt(variance + 0.5) * [low, low + 1]
            + [-low, low]
            for part, mean, variance in zip(
                batches, means, variances, strict=True
            )
        ]
        x = np.maximum(np.concatenate(normalized), 0)
    return found


def check(model, x=X, batch_size=7):
    for ours, theirs in zip(
        statistics(model), expected_statistics(x, batch_size), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


# The last batch of 22 images is smaller, or the only one, or there is none.
@pytest.mark.parametrize("batch_size", [1, 7, 11, 22, 256])
def test_equals_numpy(batch_size):
    model = build()
    recalibrate_batch_norm(model, X, batch_size=batch_size)
    check(model, batch_size=batch_size)
    # Again, it is the same: nothing is left of what was there before.
    recalibrate_batch_norm(model, X, batch_size=batch_size)
    check(model, batch_size=batch_size)


def test_images_are_seen_as_they_are():
    # What augments or drops in training changes statistics, but not here.
    model = build(
        keras.layers.GaussianNoise(1.0),
        keras.layers.Dropout(0.75),
        keras.layers.RandomTranslation(0.5, 0.5),
    )
    recalibrate_batch_norm(model, X, batch_size=7)
    check(model)


def test_predictions_of_a_batch_become_those_of_training():
    model = build()
    recalibrate_batch_norm(model, X, batch_size=len(X))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(model(X, training=False)),
        keras.ops.convert_to_numpy(model(X, training=True)),
        atol=1e-4,
    )


@pytest.mark.parametrize("frozen", ["nothing", "layer", "model", "variable"])
def test_frozen_layers_too_and_they_stay_frozen(frozen):
    model = build()
    first, second = norms(model)
    if frozen == "layer":
        first.trainable = False
    if frozen == "model":
        model.trainable = False
    if frozen == "variable":
        first.gamma.trainable = False
    before = flags(model)
    recalibrate_batch_norm(model, X, batch_size=7)
    check(model)
    assert flags(model) == before
    assert (first.momentum, second.momentum) == (0.75, 0.25)


def flags(model):
    return [layer.trainable for layer in model._flatten_layers()] + [
        variable.trainable for variable in model.variables
    ]


def test_nested_models_and_nothing_but_statistics():
    inner = build(keras.layers.Conv2D(2, 1))
    model = keras.Sequential([keras.Input((4, 5, 2)), inner])
    model.compile("sgd", "mse")
    before = model.get_weights()
    recalibrate_batch_norm(model, X, batch_size=7)
    moving = {
        id(part)
        for layer in norms(model)
        for part in (layer.moving_mean, layer.moving_variance)
    }
    changed = [
        not np.array_equal(ours, theirs)
        for ours, theirs in zip(model.get_weights(), before, strict=True)
    ]
    assert changed == [id(weight) in moving for weight in model.weights]


def test_a_model_without_batch_normalization_is_not_called():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    recalibrate_batch_norm(model, "nothing that it could take")


class Fails(keras.layers.Layer):
    """A layer that takes two batches and no third."""

    num_calls = -100

    def call(self, inputs):
        if not isinstance(inputs, keras.KerasTensor):
            self.num_calls += 1
            if self.num_calls > 2:
                raise RuntimeError("out of memory")
        return inputs


def test_everything_is_as_before_after_an_error():
    fails = Fails()
    model = build()
    norms(model)[0].trainable = False
    model = keras.Sequential([model, fails])
    model.build((None, 4, 5, 2))
    before = flags(model)
    momentums = [layer.momentum for layer in norms(model)]
    fails.num_calls = 0
    with pytest.raises(RuntimeError, match="out of memory"):
        recalibrate_batch_norm(model, X, batch_size=7)
    assert flags(model) == before
    assert [layer.momentum for layer in norms(model)] == momentums
    # It trains and predicts as ever.
    fails.num_calls = -100
    first, last = (
        keras.ops.convert_to_numpy(model(X, training=False)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, last)
    before = [
        keras.ops.convert_to_numpy(layer.moving_mean).copy()
        for layer in norms(model)
    ]
    model(X, training=True)
    moved = [
        not np.allclose(keras.ops.convert_to_numpy(layer.moving_mean), mean)
        for layer, mean in zip(norms(model), before, strict=True)
    ]
    assert moved == [layer.trainable for layer in norms(model)]
    assert sorted(moved) == [False, True]
