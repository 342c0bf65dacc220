import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import FlexMatch
from keras_fewlabels.policies import FlexMatchPolicy

pytestmark = pytest.mark.usefixtures("eager")

IMAGES = np.random.default_rng(0).normal(size=(30, 2, 3, 1)).astype("float32")
LABELS = np.arange(6) % 3


def compiled(policy):
    student = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    identity = keras.layers.Identity()
    model = FlexMatch(
        student, policy=policy, noise=identity, weak_noise=identity
    )
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    return model


def test_each_image_is_counted_once_however_many_epochs():
    model = compiled(FlexMatchPolicy(0.5, num_unlabeled=24))
    data = mix_labeled_unlabeled((IMAGES[:6], LABELS), IMAGES[6:], 2, 4)
    model.fit(data, epochs=3, verbose=0)
    probabilities = model.predict(IMAGES[6:], verbose=0)
    confident = probabilities.max(axis=1) >= 0.5
    labels = np.where(confident, probabilities.argmax(axis=1), -1)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(model.policy.table), labels
    )
    np.testing.assert_array_equal(
        ops.convert_to_numpy(model.policy.counts),
        [*np.bincount(labels[confident], minlength=3), (~confident).sum()],
    )


class Unnumbered(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return {"labeled": IMAGES[:6], "unlabeled": IMAGES[6:]}, LABELS


def test_images_without_a_number_are_refused():
    with pytest.raises(ValueError, match="mix_labeled_unlabeled"):
        compiled(FlexMatchPolicy(0.5)).fit(Unnumbered(), verbose=0)
