import numpy as np
import pytest
from keras import ops

from keras_fewlabels.models.augmented_views import strong_view, weak_view

# Smooth, and the same from both sides, so that flips change nothing.
WAVE = 0.5 + 0.4 * np.cos(np.linspace(-6, 6, 32))
IMAGES = np.tile(WAVE[None, None, :, None], (60, 32, 1, 3)).astype("float32")


def changes(view, images=IMAGES):
    views = ops.convert_to_numpy(view((0, 1))(images, training=True))
    assert views.shape == images.shape
    assert views.min() >= 0 and views.max() <= 1
    return np.abs(views - images).mean(axis=(1, 2, 3)), views


@pytest.mark.parametrize("view", [weak_view, strong_view])
def test_images_draw_for_themselves(view):
    noise = np.random.default_rng(0).random((1, 32, 32, 3), "float32")
    changed, _ = changes(view, noise.repeat(60, axis=0))
    assert len(np.unique(changed.round(5))) > 20


def test_strong_view_is_stronger_and_has_a_hole():
    (weak, _), (strong, views) = map(changes, (weak_view, strong_view))
    assert strong.mean() > 1.5 * weak.mean()
    grey = np.isclose(views, 128 / 255, atol=1e-3).all(axis=-1)
    # 0.36 of either side, cut off where it lies at the border.
    assert grey.mean(axis=(1, 2)).min() >= (0.36 / 2) ** 2 * 0.8


def test_weak_view_flips_half_of_the_images():
    ramp = np.linspace(0.2, 0.8, 32, dtype="float32")
    images = np.tile(ramp[None, None, :, None], (400, 32, 1, 1))
    views = ops.convert_to_numpy(weak_view((0, 1))(images, training=True))
    middle = views[:, 16, 8:24, 0]
    assert (middle[:, 0] > middle[:, -1]).mean() == pytest.approx(0.5, abs=0.1)


def test_weak_view_shifts_by_whole_pixels():
    images = np.random.default_rng(0).integers(1, 255, (9, 32, 32, 1), "uint8")
    views = ops.convert_to_numpy(weak_view((0, 255))(images, training=True))
    for image, view in zip(images, views, strict=True):
        assert any(
            np.array_equal(view[12:20, 12:20], side[y : y + 8, x : x + 8])
            for side in (image, image[:, ::-1])
            for y in range(25)
            for x in range(25)
        )
