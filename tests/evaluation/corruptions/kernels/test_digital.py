import colorsys
import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from keras_fewlabels.evaluation.corruptions.kernels.digital import (
    contrast,
    elastic_transform,
    jpeg_compression,
    pixelate,
    saturate,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 32, 32, 3)).astype("float32")
# Black, white, grey and pure colours have hues and saturations of their own.
IMAGES[0, 0, :6] = [
    [0, 0, 0],
    [1, 1, 1],
    [0.5] * 3,
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
]


def in_hsv(images, function):
    """Changes hue, saturation and value of each pixel by `colorsys`."""
    output = np.empty(images.shape)
    for place in np.ndindex(images.shape[:3]):
        hsv = function(*colorsys.rgb_to_hsv(*map(float, images[place])))
        output[place] = colorsys.hsv_to_rgb(*hsv)
    return output


@pytest.mark.parametrize(
    "severity, factor, offset",
    [(1, 0.3, 0), (2, 0.1, 0), (4, 2, 0.1), (5, 2.5, 0.2)],
)
def test_saturate(severity, factor, offset):
    expected = in_hsv(
        IMAGES, lambda h, s, v: (h, min(s * factor + offset, 1), v)
    )
    found = saturate(IMAGES, severity, None)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("severity, factor", [(1, 0.75), (5, 0.15)])
def test_contrast_keeps_the_mean_of_each_channel(severity, factor):
    found = contrast(IMAGES, severity, None)
    mean = IMAGES.mean(axis=(1, 2))
    np.testing.assert_allclose(found.mean(axis=(1, 2)), mean, atol=1e-6)
    np.testing.assert_allclose(
        found.std(axis=(1, 2)), factor * IMAGES.std(axis=(1, 2)), rtol=1e-4
    )


def test_saturate_leaves_grey_images_as_they_are():
    grey = IMAGES[..., :1]
    np.testing.assert_array_equal(saturate(grey, 5, None), grey)


def ramps(height, width):
    """An image that holds the row and the column of each pixel."""
    rows, columns = np.indices((height, width)).astype("float32")
    return np.stack([rows, columns, 0 * rows], axis=-1)[None]


def test_first_elastic_severity_moves_three_points_affinely(generators):
    # At 32 pixels the first severity has no waves.
    for number in range(5):
        places = elastic_transform(
            ramps(32, 32), 1, generators(number + 1)[-1:]
        )
        generator = generators(number + 1)[-1]
        points = 16 + 10 * np.array([[1, 1], [-1, 1], [-1, -1]])
        moved = points + generator.uniform(-2.56, 2.56, (3, 2))
        for point, (row, column) in zip(points, moved, strict=True):
            if max(row, column) > 30:
                continue
            found = ndimage.map_coordinates(
                places[0, ..., 0], [[row], [column]], order=1
            )
            assert found[0] == pytest.approx(point[0], abs=1e-3)


@pytest.mark.parametrize(
    "severity, waves, sigma, shift",
    [(3, 2.56, 1.92, 1.92), (5, 3.2, 0.96, 0.96)],
)
def test_elastic_waves_on_top_of_the_affine_move(
    severity, waves, sigma, shift, generators
):
    (places,) = elastic_transform(ramps(32, 32), severity, generators(1))
    (generator,) = generators(1)
    points = 16 + 10 * np.array([[1, 1], [-1, 1], [-1, -1]])
    moved = points + generator.uniform(-shift, shift, (3, 2))
    affine = np.linalg.lstsq(np.c_[moved, np.ones(3)], points, rcond=None)[0]
    moves = waves * np.stack(
        [
            ndimage.gaussian_filter(each, sigma, mode="reflect", truncate=3)
            for each in generator.uniform(-1, 1, (2, 32, 32))
        ]
    )
    rows, columns = np.indices((32, 32)) + moves
    expected = np.stack([rows, columns, np.ones((32, 32))], axis=-1) @ affine
    np.testing.assert_allclose(
        places[10:22, 10:22, :2], expected[10:22, 10:22], atol=1e-3
    )


def test_elastic_transform_of_any_shape_differs_by_image(generators):
    images = np.repeat(ramps(40, 64)[..., :1], 3, axis=0)
    output = elastic_transform(images, 4, generators(3))
    assert output.shape == (3, 40, 64, 1)
    assert not np.allclose(output[0], output[1], atol=0.1)
    # Mirrored at the borders: nothing comes from outside of the image.
    assert output.min() >= 0
    assert output.max() <= 39


def check_against_pillow(function, severity, images, expected):
    found = function(images / np.float32(255), severity, None)
    for image, output in zip(images, found, strict=True):
        mode = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        wanted = np.asarray(expected(mode)).reshape(image.shape)
        np.testing.assert_allclose(255 * output, wanted, atol=1e-3)


@pytest.mark.parametrize(
    "side, severity, quality", [(32, 1, 80), (32, 3, 58), (224, 5, 7)]
)
@pytest.mark.parametrize("num_channels", [1, 3])
def test_jpeg_of_pillow(side, severity, quality, num_channels, photographs):
    def stored(image):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file)

    images = photographs(side)[..., :num_channels]
    check_against_pillow(jpeg_compression, severity, images, stored)


@pytest.mark.parametrize(
    "height, width, severity, small",
    [
        (32, 32, 1, (30, 30)),
        (32, 32, 5, (20, 20)),
        (40, 32, 3, (27, 34)),
        (224, 300, 5, (75, 56)),
    ],
)
def test_pixelate_of_pillow(height, width, severity, small, photographs):
    check_against_pillow(
        pixelate,
        severity,
        photographs(height, width),
        lambda image: image.resize(small, Image.Resampling.BOX).resize(
            (width, height), Image.Resampling.BOX
        ),
    )
