import numpy as np
import pytest
from scipy.ndimage import affine_transform, gaussian_filter

from keras_fewlabels.data.copies import aligned_correlation as module
from keras_fewlabels.data.copies.aligned_correlation import aligned_correlation

RNG = np.random.default_rng(0)
IMAGES = gaussian_filter(RNG.normal(size=(6, 32, 32)), (0, 2, 2))
IMAGES /= IMAGES.std(axis=(1, 2), keepdims=True)


@pytest.mark.parametrize(
    "scales, shift", [((1, 1), (0.8, -1.1)), ((0.95, 1.04), (0.5, 0.7))]
)
def test_a_scaled_and_shifted_image_fits(scales, shift):
    middle = 15.5
    moved = np.stack(
        [
            affine_transform(
                image,
                scales,
                middle - np.multiply(scales, middle) + shift,
                order=1,
                mode="nearest",
            )
            for image in IMAGES
        ]
    )
    grey, details = aligned_correlation(moved * 3 - 7, IMAGES)
    assert (grey > 0.9999).all() and (details > 0.999).all()
    for one, other in zip(moved, IMAGES, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] < 0.98


def test_other_images_do_not_fit():
    grey, details = aligned_correlation(IMAGES, IMAGES[::-1])
    assert (np.abs(grey) < 0.8).all() and (np.abs(details) < 0.5).all()


def test_details_of_an_equal_image_are_those_of_an_oracle():
    noisy = IMAGES + 0.2 * RNG.normal(size=IMAGES.shape)
    inner = np.s_[:, 2:-2, 2:-2]
    expected = []
    for one, other in zip(IMAGES[inner], noisy[inner], strict=True):
        parts = []
        for image in (one, other):
            padded = np.pad(image, 1, mode="edge")
            means = [
                padded[row : row + 28, column : column + 28]
                for row in range(3)
                for column in range(3)
            ]
            parts.append((image - np.mean(means, axis=0)).ravel())
        expected.append(np.corrcoef(*parts)[0, 1])
    _, found = aligned_correlation(IMAGES, noisy)
    # Aligning moves them by little.
    np.testing.assert_allclose(found, expected, atol=0.06)


def test_pieces_flat_images_and_none(monkeypatch):
    whole = aligned_correlation(IMAGES, IMAGES[::-1])
    monkeypatch.setattr(module, "_PIECE", 4)
    pieces = aligned_correlation(IMAGES, IMAGES[::-1])
    np.testing.assert_allclose(pieces, whole, atol=1e-4)
    assert [len(each) for each in aligned_correlation(IMAGES[:0], [])] == [0, 0]
    flat = np.zeros((1, 32, 32), "float32")
    for found in aligned_correlation(flat, flat):
        assert found.tolist() == [0]
