import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.models.student.warm_up_statistics import WarmUpStatistics

RNG = np.random.default_rng(0)


def normalized(momentum=0.99):
    return keras.Sequential(
        [keras.Input((3,)), layers.BatchNormalization(momentum=momentum)]
    )


def expected_momentum(step, momentum):
    warm = min((1 + step) / (10 + step), max(0.9, 1 - 50 / (1 + step)))
    return min(momentum, warm)


@pytest.mark.parametrize("momentum", [0.99, 0.8])
def test_statistics_equal_the_formula(momentum):
    model = normalized(momentum)
    warm_up = WarmUpStatistics(model)
    mean, variance = np.zeros(3), np.ones(3)
    for step in range(30):
        batch = RNG.normal(5, 2, (16, 3)).astype("float32")
        with warm_up.momentums():
            model(batch, training=True)
        m = expected_momentum(step, momentum)
        mean = m * mean + (1 - m) * batch.mean(axis=0)
        variance = m * variance + (1 - m) * batch.var(axis=0)
    weights = model.get_weights()
    np.testing.assert_allclose(weights[2], mean, rtol=1e-4)
    np.testing.assert_allclose(weights[3], variance, rtol=1e-4)


@pytest.mark.parametrize(
    ("step", "momentum"),
    [(0, 0.1), (80, 0.9), (400, 0.9), (999, 0.95), (4999, 0.99), (10**6, 0.99)],
)
def test_momentum_of_a_step(step, momentum):
    model = normalized(0.99)
    warm_up = WarmUpStatistics(model)
    warm_up.steps.assign(step)
    with warm_up.momentums():
        now = keras.ops.convert_to_numpy(model.layers[-1].momentum)
    assert now == pytest.approx(momentum, abs=1e-3)
    assert int(warm_up.steps) == step + 1


def test_layers_keep_their_own_momentum():
    model = normalized()
    warm_up = WarmUpStatistics(model)
    with pytest.raises(KeyboardInterrupt), warm_up.momentums():
        raise KeyboardInterrupt
    assert model.layers[-1].momentum == 0.99
    assert int(warm_up.steps) == 0


def test_nothing_to_do_without_batch_normalization():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    warm_up = WarmUpStatistics(model)
    with warm_up.momentums():
        model(np.ones((2, 3)), training=True)
    assert warm_up.weights == []


def student(seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )


def data():
    # Images that are far from the statistics a new layer starts with.
    images = RNG.normal(50, 10, (96, 8, 8, 1)).astype("float32")
    labels = np.arange(96) % 2
    images[labels == 1, :4] += 20
    return images, labels


def fitted(jit_compile=False, **arguments):
    images, labels = data()
    model = kfl.models.NoisyStudentModel(student(), **arguments)
    model.compile(
        keras.optimizers.Adam(1e-2),
        "sparse_categorical_crossentropy",
        jit_compile=jit_compile,
    )
    mixed = kfl.data.mix_labeled_unlabeled(
        (images[:32], labels[:32]), images, batch_size=16, seed=0
    )
    model.fit(mixed, epochs=8, verbose=0)
    return model, images, labels


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.xla)]
)
def test_inference_and_training_mode_agree_after_a_short_fit(jit_compile):
    model, images, labels = fitted(jit_compile)
    assert int(model.warm_up.steps) == 8 * 6
    predicted = model.student.predict(images, verbose=0).argmax(axis=1)
    assert np.mean(predicted == labels) > 0.95
    momentums = [
        layer.momentum
        for layer in model.student.layers
        if isinstance(layer, layers.BatchNormalization)
    ]
    assert momentums == [0.99, 0.99]


def test_count_is_saved(tmp_path):
    model, images, _ = fitted(teacher=kfl.models.EMATeacher(0.9))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert int(loaded.warm_up.steps) == 8 * 6
    np.testing.assert_allclose(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
