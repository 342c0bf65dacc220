import collections
import copy
import pickle

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.policies import FixedThreshold

IMAGES = np.random.default_rng(0).random((40, 4, 4, 1), "float32")
LABELED = IMAGES[:10], np.arange(10) % 2
UNLABELED = IMAGES[10:]


def classifier():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("has_fitted", [False, True])
def test_a_deep_copy_fills_the_dataset_of_the_original(has_fitted):
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.0), every=1)
    dataset = labeler.mixed_with(LABELED, seed=0)
    if has_fitted:
        classifier().fit(dataset, epochs=2, callbacks=[labeler], verbose=0)
    copied = copy.deepcopy(labeler)
    model = classifier()
    model.fit(dataset, epochs=2, callbacks=[copied], verbose=0)
    # All images are kept, so an epoch has all pseudo-labels in it.
    fed = collections.Counter(int(y) for _, ys in dataset for y in ys)
    assert sum(fed.values()) >= 40
    expected = collections.Counter(copied.labels.tolist())
    assert all(fed[label] >= count for label, count in expected.items())
    assert copied.rounds[0]["kept"] == 30
    assert copied.policy is not labeler.policy
    assert len(labeler.rounds) == has_fitted


def test_a_pickled_copy_is_refused_before_training():
    labeler = PseudoLabeler(UNLABELED)
    dataset = labeler.mixed_with(LABELED)
    copied = pickle.loads(pickle.dumps(labeler))
    with pytest.raises(ValueError, match="would not see the pseudo-labels"):
        classifier().fit(dataset, callbacks=[copied], verbose=0)
