import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import AdaMatch

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
    return mix_labeled_unlabeled((IMAGES[:4], LABELS), IMAGES[4:], 2, 4)


def test_averages_are_those_of_labeled_and_unlabeled_predictions():
    model = compiled()
    model.policy.momentum = 0
    data = mix_labeled_unlabeled((IMAGES[:4], LABELS), IMAGES[4:], 4, 4)
    model.fit(data, verbose=0)
    predictions = model.predict(IMAGES, verbose=0)
    for mean, part in (
        (model.policy.labeled_mean, predictions[:4]),
        (model.policy.unlabeled_mean, predictions[4:]),
    ):
        np.testing.assert_allclose(
            ops.convert_to_numpy(mean), part.mean(axis=0), rtol=1e-5
        )


def test_weight_grows_over_the_first_half_of_the_fit():
    model = compiled()
    logs = model.fit(mixed(), epochs=4, verbose=0).history
    # Two steps per epoch, eight in all.
    ramp = [0.5 - np.cos(min(np.pi, 2 * np.pi * k / 8)) / 2 for k in range(8)]
    ramp = np.reshape(ramp, (4, 2))
    assert ramp[-1].tolist() == [1, 1]
    # Nothing is learned, so the loss of an epoch tells its mean weight.
    weights = np.subtract(logs["loss"], logs["supervised_loss"])
    bounds = np.max(logs["unlabeled_loss"]) * 1.5
    assert weights[0] == pytest.approx(
        logs["unlabeled_loss"][0] * ramp[0].mean(), abs=bounds * 0.2
    )
    assert weights[-1] == pytest.approx(logs["unlabeled_loss"][-1], rel=1e-4)


def test_unknown_number_of_steps_is_refused():
    def endless():
        while True:
            yield {"labeled": IMAGES[:4], "unlabeled": IMAGES[4:]}, LABELS

    with pytest.raises(ValueError, match="steps_per_epoch"):
        compiled().fit(endless(), verbose=0)
