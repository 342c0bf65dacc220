import importlib

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.evaluation import first_to_label

DIGITS = load_digits()
IMAGES = DIGITS.images[:600, ..., None].astype("float32") / 16


def pixels(shape=(8, 8, 1)):
    """A network whose features are the pixels."""
    images = keras.Input(shape)
    return keras.Model(images, keras.layers.Flatten()(images))


def propose(images=IMAGES, count=40, **options):
    options = {"feature_model": pixels(), "verbose": 0, **options}
    return first_to_label(images, count, **options)


def accuracy(indices):
    train = DIGITS.data[:600][indices], DIGITS.target[:600][indices]
    model = LogisticRegression(C=1, max_iter=1000).fit(*train)
    return model.score(DIGITS.data[600:], DIGITS.target[600:])


def test_proposals_are_better_labels_than_images_drawn_at_random():
    drawn = [
        accuracy(np.random.default_rng(seed).choice(600, 40, replace=False))
        for seed in range(10)
    ]
    proposals = propose()
    assert len(set(proposals.indices.tolist())) == 40
    assert accuracy(proposals.indices) > np.mean(drawn) + 0.03


def test_the_first_stands_for_most_and_it_is_the_same_each_time():
    proposals = propose()
    assert np.all(np.diff(proposals.gain) <= 1e-6)
    assert 0 < proposals.gain.sum() < 1
    np.testing.assert_array_equal(propose().indices, proposals.indices)


def test_a_heap_of_outliers_is_not_preferred():
    noise = np.random.default_rng(0).random((5, 8, 8, 1)).astype("float32")
    proposals = propose(np.concatenate([IMAGES, noise]), 20)
    assert (proposals.indices >= len(IMAGES)).sum() <= 1


def test_of_too_many_images_some_are_drawn_and_only_they_are_predicted(
    monkeypatch,
):
    module = importlib.import_module(
        "keras_fewlabels.evaluation.review.first_to_label"
    )
    monkeypatch.setattr(module, "_MAX_IMAGES", 100)
    drawn = np.random.default_rng(0).permutation(600)[:100]
    features = module._features(
        pixels(), image_source(IMAGES), drawn, 3, verbose=0
    )
    np.testing.assert_allclose(features, IMAGES[drawn].reshape(100, -1))
    assert set(propose(count=20).indices) <= set(drawn)


def test_a_backbone_gives_features_with_its_preprocessing_inside():
    keras.utils.set_random_seed(0)
    backbone = keras.applications.MobileNetV2(
        (32, 32, 3), alpha=0.35, include_top=False, weights=None
    )
    images = np.repeat(np.repeat(np.repeat(IMAGES[:40], 4, 1), 4, 2), 3, 3)
    scaled = propose(images, 5, backbone=backbone, feature_model=None)
    images = (255 * images).astype("uint8")
    whole = propose(images, 5, backbone=backbone, feature_model=None)
    np.testing.assert_array_equal(scaled.indices, whole.indices)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"count": 601}, "601 for 600 images"),
        ({"count": 0}, "count"),
        ({"backbone": "NoNet", "feature_model": None}, "NoNet"),
        ({"feature_model": pixels((9, 9, 1))}, "9, 9"),
        ({"class_names": "ab"}, "class_names"),
    ],
)
def test_what_cannot_be_done_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        propose(**arguments)
