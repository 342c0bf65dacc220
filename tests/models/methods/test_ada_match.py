import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import AdaMatch

pytestmark = pytest.mark.usefixtures("eager")

IMAGES = np.random.default_rng(0).normal(size=(20, 2, 3, 1)).astype("float32")
LABELS = np.arange(4) % 3


def compiled(learning_rate=0.0):
    student = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    identity = keras.layers.Identity()
    model = AdaMatch(student, noise=identity, weak_noise=identity)
    model.compile(
        keras.optimizers.SGD(learning_rate), "sparse_categorical_crossentropy"
    )
    return model


def mixed():
    """One step per epoch."""
    return mix_labeled_unlabeled((IMAGES[:4], LABELS), IMAGES[4:], 4, 4)


def test_averages_are_those_of_labeled_and_unlabeled_predictions():
    model = compiled()
    model.policy.momentum = 0
    model.fit(mixed(), verbose=0)
    predictions = model.predict(IMAGES, verbose=0)
    for mean, part in (
        (model.policy.labeled_mean, predictions[:4]),
        (model.policy.unlabeled_mean, predictions[4:]),
    ):
        np.testing.assert_allclose(
            ops.convert_to_numpy(mean), part.mean(axis=0), rtol=1e-5
        )


def test_weight_grows_over_the_first_half_of_the_fit():
    logs = compiled().fit(mixed(), epochs=8, verbose=0).history
    ramp = [0.5 - np.cos(np.pi * min(1, step / 4)) / 2 for step in range(8)]
    np.testing.assert_allclose(ramp[:6], [0, 0.1464466, 0.5, 0.8535534, 1, 1])
    # Nothing is learned, and no loss is 0 that has no weight.
    assert min(logs["unlabeled_loss"]) > 0.1
    np.testing.assert_allclose(
        np.subtract(logs["loss"], logs["supervised_loss"]),
        np.multiply(ramp, logs["unlabeled_loss"]),
        atol=1e-5,
    )


def test_unknown_number_of_steps_is_refused():
    def endless():
        while True:
            yield {"labeled": IMAGES[:4], "unlabeled": IMAGES[4:]}, LABELS

    with pytest.raises(ValueError, match="steps_per_epoch"):
        compiled().fit(endless(), verbose=0)
