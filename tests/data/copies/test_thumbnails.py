import numpy as np
import pytest

from keras_fewlabels.data.copies import thumbnails as module
from keras_fewlabels.data.copies.thumbnails import thumbnails
from keras_fewlabels.data.review import image_hash
from keras_fewlabels.data.sources import image_source

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(64, 96, 3), (32, 32, 1), (50, 33, 3)])
def test_they_are_means_over_equal_areas(shape):
    height, width, channels = shape
    images = RNG.integers(0, 256, (3, *shape), "uint8")
    found = thumbnails(image_source(images))
    for image, fine in zip(images, found.fine, strict=True):
        # Each pixel in 32 x 32 parts, of which areas hold whole ones.
        parts = image.mean(axis=2).repeat(32, axis=0).repeat(32, axis=1)
        expected = parts.reshape(32, height, 32, width).mean(axis=(1, 3))
        expected = (expected - expected.mean()) / expected.std()
        np.testing.assert_allclose(fine, expected, atol=0.02)
    assert found.coarse.shape == (3, 64 * channels)
    np.testing.assert_allclose(
        np.linalg.norm(found.coarse, axis=1), 1, atol=1e-5
    )
    assert found.hashes == list(map(image_hash, images))


def test_brightness_and_contrast_change_nothing():
    images = RNG.random((2, 40, 40, 3)).astype("float32")
    one = thumbnails(image_source(images))
    other = thumbnails(image_source(0.3 + images / 2))
    np.testing.assert_allclose(one.fine, other.fine, atol=0.01)
    np.testing.assert_allclose(one.coarse, other.coarse, atol=1e-4)


def test_images_of_one_colour_are_zeros():
    images = np.stack([np.full((40, 40, 3), 255.0), np.full((40, 40, 3), 0.1)])
    found = thumbnails(image_source(images))
    assert not found.fine.any() and not found.coarse.any()


def test_pieces_change_nothing_and_are_counted(monkeypatch):
    images = RNG.integers(0, 256, (5, 40, 40, 3), "uint8")
    whole = thumbnails(image_source(images))
    monkeypatch.setattr(module, "_PIECE", 2)
    done = []
    pieces = thumbnails(image_source(images), done.append)
    assert done == [2, 4, 5]
    assert pieces.hashes == whole.hashes
    np.testing.assert_array_equal(pieces.fine, whole.fine)
