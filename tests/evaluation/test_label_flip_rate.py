import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.evaluation.label_flip_rate import label_flip_rate
from keras_fewlabels.policies import FixedThreshold

ROUNDS = [
    np.array([0, 1, -1, 2, -1]),
    np.array([0, 2, 1, -1, -1]),
    np.array([0, 1, 1, 1, -1]),
]


def test_a_label_is_compared_to_the_last_one_there_was():
    assert label_flip_rate(ROUNDS, 5).tolist() == [0, 1, 0, 0.5, 0]


def test_nothing_flips_in_one_round_or_without_a_history():
    assert label_flip_rate(ROUNDS[:1], 5).tolist() == [0] * 5
    assert label_flip_rate(None, 3).tolist() == [0] * 3


def test_history_of_a_pseudo_labeler_is_that_of_its_rounds():
    class Turn(keras.callbacks.Callback):
        """Turns the classes of the model round after each epoch."""

        def on_epoch_end(self, epoch, logs=None):
            labels.append(labeler.labels.copy())
            kernel, bias = model.layers[-1].get_weights()
            model.layers[-1].set_weights([np.roll(kernel, 1, 1), bias])

    images = np.random.default_rng(0).random((60, 4, 4, 1), "float32")
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    labels = []
    labeler = PseudoLabeler(images[9:], policy=FixedThreshold(0.4), start=0)
    dataset = labeler.mixed_with((images[:9], np.arange(9) % 3), seed=0)
    model.fit(dataset, epochs=5, callbacks=[labeler, Turn()], verbose=0)
    rates = label_flip_rate(labeler, 51)
    assert len(labeler.rounds) == 5
    assert rates.any()
    np.testing.assert_allclose(rates, label_flip_rate(labels, 51))


@pytest.mark.parametrize(
    "history",
    [[*ROUNDS, np.zeros(4, int)], [np.zeros(5)], [],
     PseudoLabeler(np.zeros((3, 4, 4, 1), "uint8"))],
)  # fmt: skip
def test_history_of_other_images(history):
    with pytest.raises(ValueError, match=r"each of shape \(5,\). Received"):
        label_flip_rate(history, 5)
