import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.features import with_features
from keras_fewlabels.evaluation.frozen_features import compute_features
from keras_fewlabels.evaluation.frozen_features.compute_features import (
    BATCH_SIZE,
    FeatureReader,
)

IMAGES = np.random.default_rng(0).random((150, 4, 4, 1), "float32")


def extractor():
    return with_features(
        keras.Sequential(
            [
                keras.Input((4, 4, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(3),
            ]
        )
    )


@pytest.mark.parametrize("count", [None, 1, BATCH_SIZE, BATCH_SIZE + 1])
def test_features_of_the_first_images(count):
    reader = FeatureReader(extractor(), mirrored=False)
    done = []
    features = reader.read(image_source(IMAGES), count, done.append)
    count = count or len(IMAGES)
    assert features.dtype == "float16"
    np.testing.assert_allclose(
        features, IMAGES[:count].reshape(count, 1, -1), atol=1e-3
    )
    assert done == sorted(done) and done[-1] == count
    assert reader.seconds_per_image > 0


@pytest.mark.parametrize("factors", [(1e6, 1e6), (1e-7, 1e-7), (1.0, 1e6)])
def test_features_too_large_or_small_for_half_precision(factors, monkeypatch):
    monkeypatch.setattr(compute_features, "BATCH_SIZE", 50)
    monkeypatch.setattr(compute_features, "_MOST_BYTES", 1)
    images = IMAGES.copy()
    images[:100] *= factors[0]
    images[100:] *= factors[1]
    features = FeatureReader(extractor(), False).read(image_source(images))
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, images.reshape(150, 1, -1), rtol=1e-3)


def test_both_views_of_each_image():
    reader = FeatureReader(extractor(), mirrored=True)
    features = reader.read(image_source(IMAGES))
    views = np.stack([IMAGES, IMAGES[:, :, ::-1]], axis=1)
    np.testing.assert_allclose(features, views.reshape(150, 2, -1), atol=1e-3)


class Killed(Exception):
    pass


class Images:
    """Images that are read when they are indexed, up to a number of them."""

    shape, ndim, dtype = IMAGES.shape, IMAGES.ndim, IMAGES.dtype

    def __init__(self):
        self.most, self.sizes = np.inf, []

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, key):
        images = IMAGES[key]
        if sum(self.sizes) + len(images) > self.most:
            raise Killed
        self.sizes.append(len(images))
        return images


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_killed_pass_goes_on(tmp_path, monkeypatch, mirrored):
    monkeypatch.setattr(compute_features, "_MOST_BYTES", 1)
    model = extractor()

    def read(most, folder):
        images = Images()
        source = image_source(images)
        images.most, images.sizes = most, []
        store = ArrayStore(tmp_path / folder)
        reader = FeatureReader(model, mirrored, store, "weights")
        return reader.read(source), images, reader

    whole, *_ = read(np.inf, "whole")
    with pytest.raises(Killed):
        read(140, "killed")
    again, images, _ = read(np.inf, "killed")
    np.testing.assert_array_equal(again, whole)
    assert images.sizes == [22]
    again, images, reader = read(0, "killed")
    np.testing.assert_array_equal(again, whole)
    # The time of a pass is known without it.
    assert reader.seconds_per_image > 0


def test_stored_pieces_belong_to_weights_images_and_views(tmp_path):
    store, model = ArrayStore(tmp_path), extractor()
    reader = FeatureReader(model, False, store, "weights")
    reader.read(image_source(IMAGES), images="first")
    for made_from, images, mirrored in (
        ("other weights", "first", False),
        ("weights", "second", False),
        ("weights", "first", True),
    ):
        reader = FeatureReader(model, mirrored, store, made_from)
        expected = FeatureReader(model, mirrored).read(image_source(-IMAGES))
        found = reader.read(image_source(-IMAGES), images=images)
        np.testing.assert_array_equal(found, expected)


def test_few_bytes_of_images_are_read_at_a_time(monkeypatch):
    bytes_per_image = 4 * 4 * 4
    monkeypatch.setattr(compute_features, "BATCH_SIZE", 8)
    monkeypatch.setattr(compute_features, "_SECONDS", 1000)
    monkeypatch.setattr(compute_features, "_MOST_BYTES", 33 * bytes_per_image)
    images = Images()
    source = image_source(images)
    images.sizes.clear()
    FeatureReader(extractor(), mirrored=False).read(source)
    # Whole batches. The second piece is read before there is a pace.
    assert images.sizes == [8, 8, 32, 32, 32, 32, 6]


def test_the_first_piece_is_not_computed_again():
    images = Images()
    source = image_source(images)
    images.sizes.clear()
    reader = FeatureReader(extractor(), mirrored=False)
    first = reader.read(source, 64, images="labeled")
    assert images.sizes == [64]
    found = reader.read(source, images="labeled")
    assert sum(images.sizes) == len(source)
    np.testing.assert_array_equal(found[:64], first)
    # Of other images, the first ones are computed.
    reader.read(source, images="unlabeled")
    assert sum(images.sizes) == 2 * len(source)


def test_images_without_a_fingerprint_are_never_taken_for_others():
    reader = FeatureReader(extractor(), mirrored=False)
    for images in (IMAGES, -IMAGES):
        found = reader.read(image_source(images))
        np.testing.assert_allclose(found, images.reshape(150, 1, -1), atol=1e-3)
