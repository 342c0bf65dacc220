"""Every op beside Pillow, on random images and on photographs."""

import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageEnhance, ImageOps
from sklearn.datasets import load_sample_images

from keras_fewlabels.layers.rand_augment.tables import RANDAUGMENT
from keras_fewlabels.ops.augment_merged import augment_merged

GREY = (128, 128, 128)


def pillow_affine(image, coefficients, interpolation):
    resample = getattr(Image.Resampling, interpolation.upper())
    return image.transform(
        image.size,
        Image.Transform.AFFINE,
        coefficients,
        resample=resample,
        fillcolor=GREY[: len(image.getbands())] if image.mode == "RGB" else 128,
    )


def pillow_rotate(image, degrees, interpolation):
    resample = getattr(Image.Resampling, interpolation.upper())
    fill = GREY if image.mode == "RGB" else 128
    return image.rotate(degrees, resample=resample, fillcolor=fill)


def solarize_add(image, addition):
    array = np.asarray(image).astype(int)
    lighter = np.minimum(array + addition, 255)
    array = np.where(array < 128, lighter, array)
    return Image.fromarray(array.astype("uint8"))


PIXEL_OPS = {
    "identity": lambda image, strength: image,
    "autocontrast": lambda image, strength: ImageOps.autocontrast(image),
    "equalize": lambda image, strength: ImageOps.equalize(image),
    "invert": lambda image, strength: ImageOps.invert(image),
    "posterize": lambda image, bits: ImageOps.posterize(image, round(bits)),
    "solarize": ImageOps.solarize,
    "solarize_add": lambda image, add: solarize_add(image, round(add)),
    "color": lambda image, factor: ImageEnhance.Color(image).enhance(factor),
    "contrast": lambda image, f: ImageEnhance.Contrast(image).enhance(f),
    "brightness": lambda image, f: ImageEnhance.Brightness(image).enhance(f),
    "sharpness": lambda image, f: ImageEnhance.Sharpness(image).enhance(f),
}
GEOMETRIC_OPS = {
    "rotate": pillow_rotate,
    "shear_x": lambda image, shear, interpolation: pillow_affine(
        image, (1, shear, 0, 0, 1, 0), interpolation
    ),
    "shear_y": lambda image, shear, interpolation: pillow_affine(
        image, (1, 0, 0, shear, 1, 0), interpolation
    ),
    "translate_x": lambda image, part, interpolation: pillow_affine(
        image, (1, 0, part * image.width, 0, 1, 0), interpolation
    ),
    "translate_y": lambda image, part, interpolation: pillow_affine(
        image, (1, 0, 0, 0, 1, part * image.height), interpolation
    ),
}
MAGNITUDES = (0, 3, 5, 10, 27)


def strengths(name):
    return {
        RANDAUGMENT[name].at(m / 10, s) for m in MAGNITUDES for s in (-1, 1)
    }


def random_images():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (200, 24, 20, 3))
    # Half of them fill only a part of the levels, some a single one.
    lowest = generator.integers(0, 256, (100, 1, 1, 3))
    spread = generator.integers(0, 256, (100, 1, 1, 3))
    images[100:] = lowest + images[100:] * (255 - lowest) * spread // 65025
    images[190:] = lowest[90:]
    return images.astype("uint8")


def photographs():
    images = [
        image[y : y + 96, x : x + 128]
        for image in load_sample_images().images
        for y in (0, 100, 200, 300)
        for x in (0, 120, 240, 360, 500)
    ]
    return np.stack(images)[::2]


@pytest.fixture(scope="module", params=["random", "photographs"])
def images(request):
    return random_images() if request.param == "random" else photographs()


def apply(images, name, strength, interpolation="bilinear"):
    output = augment_merged(
        images,
        (name,),
        np.zeros((len(images), 1), "int32"),
        np.full((len(images), 1), strength),
        np.full((len(images), 1, 2), 0.5),
        interpolation=interpolation,
    )
    return ops.convert_to_numpy(output)


def pillow(images, op, *arguments):
    grey = images.shape[-1] == 1
    return np.stack(
        [
            np.asarray(
                op(Image.fromarray(x[..., 0] if grey else x), *arguments)
            ).reshape(x.shape)
            for x in images
        ]
    )


@pytest.mark.parametrize("name", PIXEL_OPS)
def test_pixel_op_equals_pillow(name, images):
    for strength in strengths(name):
        expected = pillow(images, PIXEL_OPS[name], strength)
        np.testing.assert_array_equal(apply(images, name, strength), expected)


@pytest.mark.parametrize("name", PIXEL_OPS)
def test_pixel_op_on_grey_images_equals_pillow(name):
    images = photographs()[..., :1]
    for strength in strengths(name):
        expected = pillow(images, PIXEL_OPS[name], strength)
        np.testing.assert_array_equal(apply(images, name, strength), expected)


@pytest.mark.parametrize("name", GEOMETRIC_OPS)
def test_nearest_warp_equals_pillow(name, images):
    for strength in strengths(name):
        expected = pillow(images, GEOMETRIC_OPS[name], strength, "nearest")
        output = apply(images, name, strength, "nearest")
        assert (output == expected).mean() > 0.995


@pytest.mark.parametrize("name", GEOMETRIC_OPS)
def test_bilinear_warp_is_within_a_level_of_pillow(name, images):
    for strength in strengths(name):
        expected = pillow(images, GEOMETRIC_OPS[name], strength, "bilinear")
        output = apply(images, name, strength, "bilinear")
        difference = np.abs(output.astype(int) - expected)[:, 1:-1, 1:-1]
        assert (difference <= 1).mean() > 0.99
