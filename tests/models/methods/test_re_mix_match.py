import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import ReMixMatch

pytestmark = pytest.mark.usefixtures("eager")

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(10, 2, 3, 1)).astype("float32")
LABELS = np.array([2, 0, 1, 1])
KERNEL = RANDOM.normal(size=(6, 3)).astype("float32")


class Add(keras.layers.Layer):
    """Noise that differs from row to row, around a value."""

    def __init__(self, value, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def call(self, images):
        rows = ops.arange(ops.shape(images)[0], dtype="float32")
        return images + self.value + 0.02 * ops.reshape(rows, (-1, 1, 1, 1))


class WithNext(keras.layers.Layer):
    """Mixes each image with the one three rows after it."""

    def call(self, inputs):
        return {
            name: 0.7 * rows + 0.3 * ops.roll(rows, -3, axis=0)
            for name, rows in inputs.items()
        }


def compiled(**arguments):
    student = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, use_bias=False),
        ]
    )
    student.set_weights([KERNEL])
    model = ReMixMatch(student, **arguments)
    model.compile(
        keras.optimizers.SGD(0.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def rows(count):
    return 0.02 * np.arange(count)[:, None]


def paper(num_views):
    """Algorithm 1 and equation 3 of the paper, without rotations."""
    flat = IMAGES.reshape(10, 6).astype("float64")
    labeled, unlabeled = flat[:4], flat[4:]
    weak = unlabeled - 0.1 + rows(6)
    guesses = softmax(weak @ KERNEL)
    # The average of all predictions so far is that of this batch.
    guesses = guesses / 3 / guesses.mean(axis=0)
    guesses /= guesses.sum(axis=1, keepdims=True)
    guesses = guesses**2 / (guesses**2).sum(axis=1, keepdims=True)
    strong = np.concatenate([labeled, *num_views * [unlabeled]])
    strong = strong + 0.4 + rows(len(strong))
    images = np.concatenate([strong, weak])
    targets = [np.eye(3)[LABELS], *(num_views + 1) * [guesses]]
    targets = np.concatenate(targets)
    mixed_images = 0.7 * images + 0.3 * np.roll(images, -3, axis=0)
    mixed_targets = 0.7 * targets + 0.3 * np.roll(targets, -3, axis=0)

    def loss(images, targets):
        return -(targets * np.log(softmax(images @ KERNEL))).sum(axis=1).mean()

    return (
        loss(mixed_images[:4], mixed_targets[:4]),
        loss(mixed_images[4:], mixed_targets[4:]),
        loss(strong[4:10], guesses),
    )


@pytest.mark.parametrize("num_views", [1, 3])
def test_loss_is_that_of_the_paper(num_views):
    model = compiled(
        noise=Add(0.4),
        weak_noise=Add(-0.1),
        mixing=WithNext(),
        num_views=num_views,
    )
    model.policy.momentum = 0
    data = mix_labeled_unlabeled(
        (IMAGES[:4], LABELS), IMAGES[4:], 4, 1.5, shuffle=False
    )
    logs = model.fit(data, verbose=0).history
    supervised, mixed, unmixed = paper(num_views)
    assert logs["supervised_loss"][0] == pytest.approx(supervised, rel=1e-4)
    assert logs["loss"][0] == pytest.approx(
        supervised + 1.5 * mixed + 0.5 * unmixed, rel=1e-4
    )


def test_defaults_are_those_of_the_paper():
    model = compiled()
    assert (model.num_views, model.mixing.alpha) == (8, 0.75)
    assert (model.unlabeled_weight, model.unmixed_weight) == (1.5, 1 / 3)
    assert model.policy.policy.temperature == 0.5
    assert model.labeled_noise is None
