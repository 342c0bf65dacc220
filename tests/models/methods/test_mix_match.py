import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import MixMatch

pytestmark = pytest.mark.usefixtures("eager")

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(10, 2, 3, 1)).astype("float32")
LABELS = np.array([2, 0, 1, 1])
KERNEL = RANDOM.normal(size=(6, 3)).astype("float32")


class Numbered(keras.layers.Layer):
    """Noise that differs from row to row."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, images):
        rows = ops.arange(ops.shape(images)[0], dtype="float32")
        return images + self.size * ops.reshape(rows, (-1, 1, 1, 1))


class WithNext(keras.layers.Layer):
    """Mixes each image with the one three rows after it."""

    def call(self, inputs):
        return {
            name: 0.7 * rows + 0.3 * ops.roll(rows, -3, axis=0)
            for name, rows in inputs.items()
        }


def compiled(learning_rate, from_logits, **arguments):
    activation = None if from_logits else "softmax"
    student = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation=activation, use_bias=False),
        ]
    )
    student.set_weights([KERNEL])
    model = MixMatch(student, **arguments)
    model.compile(
        keras.optimizers.SGD(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits),
        metrics=["accuracy"],
    )
    return model


def mixed():
    """One step per epoch."""
    return mix_labeled_unlabeled(
        (IMAGES[:4], LABELS), IMAGES[4:], 4, 1.5, shuffle=False
    )


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def paper(kernel, guess_kernel):
    """Algorithm 1 and equations 2 to 5 of the paper, with two views."""
    flat = IMAGES.reshape(10, 6).astype("float64")
    labeled, unlabeled = flat[:4], flat[4:]
    twice = np.concatenate([unlabeled, unlabeled])
    labeled = labeled + 0.02 * np.arange(4)[:, None]
    views = twice + 0.02 * np.arange(12)[:, None]
    guesses = softmax(views @ guess_kernel).reshape(2, 6, 3).mean(axis=0)
    sharpened = guesses**2 / (guesses**2).sum(axis=1, keepdims=True)
    seen = twice + 0.05 * np.arange(12)[:, None]
    images = np.concatenate([labeled, seen])
    targets = np.concatenate([np.eye(3)[LABELS], sharpened, sharpened])
    images = 0.7 * images + 0.3 * np.roll(images, -3, axis=0)
    targets = 0.7 * targets + 0.3 * np.roll(targets, -3, axis=0)
    predictions = softmax(images @ kernel)
    supervised = -(targets[:4] * np.log(predictions[:4])).sum(axis=1).mean()
    unlabeled = np.square(targets[4:] - predictions[4:]).mean()
    return supervised, unlabeled, sharpened


NOISE = {
    "noise": Numbered(0.05),
    "weak_noise": Numbered(0.02),
    "mixing": WithNext(),
}


@pytest.mark.parametrize("from_logits", [True, False])
def test_losses_are_those_of_the_paper(from_logits):
    model = compiled(0.0, from_logits, **NOISE)
    logs = model.fit(mixed(), epochs=5, verbose=0).history
    supervised, unlabeled, _ = paper(KERNEL, KERNEL)
    np.testing.assert_allclose(
        logs["supervised_loss"], 5 * [supervised], rtol=1e-4
    )
    np.testing.assert_allclose(
        logs["unlabeled_loss"], 5 * [unlabeled], rtol=1e-4
    )
    weights = np.arange(5) / 5 * 75
    np.testing.assert_allclose(
        logs["loss"], supervised + weights * unlabeled, rtol=1e-4
    )
    assert logs["mask_ratio"] == 5 * [1]


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = compiled(0.0, True, **NOISE)
    keras.config.set_dtype_policy("float32")
    logs = model.fit(mixed(), verbose=0).history
    supervised, unlabeled, _ = paper(KERNEL, KERNEL)
    assert logs["supervised_loss"][0] == pytest.approx(supervised, rel=0.02)
    assert logs["unlabeled_loss"][0] == pytest.approx(unlabeled, rel=0.02)


def test_no_gradient_flows_into_the_guesses():
    model = compiled(1.0, True, unlabeled_weight=7.0, **NOISE)
    model.progress.start(num_steps=1, step=1)
    # In `fit` the first step has no unlabelled loss.
    model.ramp = lambda progress: 1.0
    model.fit(mixed(), verbose=0)

    def loss(kernel):
        supervised, unlabeled, _ = paper(kernel, KERNEL)
        return supervised + 7 * unlabeled

    gradient = np.zeros((6, 3))
    for place in np.ndindex(6, 3):
        step = np.zeros((6, 3))
        step[place] = 1e-5
        gradient[place] = loss(KERNEL + step) - loss(KERNEL - step)
    gradient /= 2e-5
    np.testing.assert_allclose(
        KERNEL - model.student.get_weights()[0], gradient, rtol=1e-3, atol=1e-4
    )


def test_guesses_are_sharpened_means_of_all_views():
    model = compiled(0.0, True, **NOISE)
    taught = model.teach(ops.convert_to_tensor(IMAGES[4:]))
    targets, weights = model.policy(taught)
    _, _, sharpened = paper(KERNEL, KERNEL)
    np.testing.assert_allclose(
        ops.convert_to_numpy(targets), sharpened, rtol=1e-4
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(weights), 1)


def test_defaults_are_those_of_the_paper():
    model = compiled(0.0, True)
    assert (model.num_views, model.mixing.alpha) == (2, 0.75)
    assert (model.policy.temperature, model.policy.threshold) == (0.5, 0)
    assert model.unlabeled_weight == 75
    assert model.noise.name == model.weak_noise.name == "weak_view"
