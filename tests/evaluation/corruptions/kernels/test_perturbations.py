import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from keras_fewlabels.evaluation.corruptions.kernels.perturbations import (
    PERTURBATIONS,
    projected,
)


@pytest.fixture
def images(photographs):
    return photographs(32)[:3] / np.float32(255)


# The frame in which nothing has happened yet, and the next to it.
STILL = {
    "gaussian_noise": 0,
    "shot_noise": 0,
    "zoom_blur": 0,
    "brightness": 15,
    "translate": 7,
    "rotate": 15,
    "tilt": 15,
    "scale": 15,
}


@pytest.mark.parametrize("name", STILL)
def test_one_frame_is_the_image_and_the_next_is_close(name, images, generators):
    frame = PERTURBATIONS[name](images, STILL[name], generators(3))
    np.testing.assert_allclose(frame, images, atol=1e-5)
    after = PERTURBATIONS[name](images, STILL[name] + 1, generators(3))
    assert 0.001 < np.abs(after - images).mean() < 0.08


@pytest.mark.parametrize(
    "name, variance",
    [("gaussian_noise", 0.02**2), ("shot_noise", 0.4 / 700)],
)
def test_noise_is_as_published(name, variance, generators):
    grey = np.full((8, 32, 32, 3), 0.4, "float32")
    noise = PERTURBATIONS[name](grey, 1, generators(8)) - grey
    assert noise.mean() == pytest.approx(0, abs=1e-3)
    assert noise.var() == pytest.approx(variance, rel=0.05)


@pytest.mark.parametrize("frame, degrees", [(0, 15), (29, -14)])
def test_rotate_is_that_of_pillow(frame, degrees, images):
    levels = np.rint(255 * images).astype("uint8")
    found = PERTURBATIONS["rotate"](images, frame, None)
    for image, output in zip(levels, found, strict=True):
        turned = Image.fromarray(image).rotate(
            degrees, Image.Resampling.BILINEAR
        )
        difference = np.abs(255 * output - np.asarray(turned))
        # Pillow does not fade towards the black beyond the border.
        assert difference[8:24, 8:24].max() < 1.5


def test_translate_moves_to_the_right(images):
    found = PERTURBATIONS["translate"](images, 15, None)
    np.testing.assert_allclose(found[:, :, 8:], images[:, :, :-8], atol=1e-6)


def test_zoom_blur_is_the_mean_of_the_zooms_so_far(images):
    zooms = [
        np.asarray(
            Image.fromarray(np.rint(255 * images[0]).astype("uint8")).transform(
                (32, 32),
                Image.Transform.AFFINE,
                (1 / z, 0, 16 - 16 / z, 0, 1 / z, 16 - 16 / z),
                Image.Resampling.BILINEAR,
            ),
            "float32",
        )
        for z in 1 + 0.004 * np.arange(11)
    ]
    found = PERTURBATIONS["zoom_blur"](images[:1], 10, None)
    np.testing.assert_allclose(255 * found[0], np.mean(zooms, 0), atol=1.5)


def test_tilt_brings_one_corner_near_and_one_far():
    white = np.ones((1, 33, 33, 1), "float32")
    (frame,) = PERTURBATIONS["tilt"](white, 30, None)[..., 0]
    # What comes near covers its corner, what goes far leaves it black.
    assert frame[1, 1] == pytest.approx(1)
    assert frame[-2, -2] == 0
    np.testing.assert_allclose(
        PERTURBATIONS["tilt"](white, 0, None)[0, ::-1, ::-1, 0], frame, atol=0.2
    )


def test_scale_keeps_the_middle():
    images = np.zeros((1, 33, 33, 1), "float32")
    images[0, 11:22, 11:22] = 1
    for frame, side in ((0, 0.7 * 11), (15, 11), (30, 1.3 * 11)):
        (output,) = PERTURBATIONS["scale"](images, frame, None)[..., 0]
        assert output.sum() == pytest.approx(side**2, rel=0.05)
        np.testing.assert_allclose(output, output[::-1, ::-1], atol=1e-5)


IMAGES = np.random.default_rng(0).random((2, 9, 12, 3)).astype("float32")
MATRICES = {
    "shift": [[1, 0, 2.25], [0, 1, -1], [0, 0, 1]],
    "turn": [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]],
    "perspective": [[1, 0.1, 0], [0, 0.9, 0], [0.02, 0.01, 1.1]],
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_reads_where_the_inverse_leads(matrix):
    inverse = np.linalg.inv(matrix)
    expected = np.empty(IMAGES.shape)
    padded = np.pad(IMAGES, ((0, 0), (30, 30), (30, 30), (0, 0)))
    for row, column in np.ndindex(9, 12):
        x, y, scale = inverse @ [column - 5.5, row - 4, 1]
        place = [[y / scale + 4 + 30], [x / scale + 5.5 + 30]]
        for number, channel in np.ndindex(2, 3):
            expected[number, row, column, channel] = ndimage.map_coordinates(
                padded[number, ..., channel], place, order=1
            )[0]
    np.testing.assert_allclose(projected(IMAGES, matrix), expected, atol=1e-5)


def test_shift_by_whole_pixels_is_exact_and_black_beyond():
    found = projected(IMAGES, [[1, 0, 3], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(found[:, :, 3:], IMAGES[:, :, :-3])
    np.testing.assert_array_equal(found[:, :, :3], 0)


def test_mean_of_several():
    pair = [MATRICES["shift"], MATRICES["turn"]]
    np.testing.assert_allclose(
        projected(IMAGES, pair),
        (projected(IMAGES, pair[0]) + projected(IMAGES, pair[1])) / 2,
        atol=1e-6,
    )
