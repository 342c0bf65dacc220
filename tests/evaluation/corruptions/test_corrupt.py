import numpy as np
import pytest

from keras_fewlabels.evaluation import corrupt
from keras_fewlabels.evaluation.corruptions.change_batch import change_batch
from keras_fewlabels.evaluation.corruptions.kernels.by_name import CORRUPTIONS

RANGES = [((0, 1), "float32"), ((-1, 1), "float64"), ((0, 255), "float32")]


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("value_range, dtype", RANGES)
def test_floats_of_any_range_are_what_uint8_is(
    name, value_range, dtype, photographs
):
    images = photographs(32)
    low, high = value_range
    floats = (low + images * ((high - low) / 255)).astype(dtype)
    found = corrupt(floats, name, 4, value_range=value_range)
    assert found.dtype == dtype
    expected = corrupt(images, name, 4)
    assert expected.dtype == np.uint8
    levels = (found - low) / (high - low) * 255
    np.testing.assert_allclose(levels, expected, atol=1e-3)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_image_is_the_same_in_any_batch(name, photographs):
    images = photographs(32)
    whole = corrupt(images, name, 4, seed=7)
    function = CORRUPTIONS[name]
    for size in (1, 4):
        parts = [
            change_batch(images[i : i + size], i, 4, function, (0, 255), 7)
            for i in range(0, len(images), size)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


FIXED = ["defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate",
         "jpeg_compression", "gaussian_blur", "saturate"]  # fmt: skip


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_seed_severity_and_place_draw_anew(name, photographs):
    image = photographs(32)[:1]
    images = np.repeat(image, 3, axis=0)
    before = images.copy()
    found = corrupt(images, name, 4, seed=1)
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(corrupt(images, name, 4, seed=1), found)
    other = corrupt(images, name, 4, seed=2)
    assert np.array_equal(other, found) == (name in FIXED)
    assert np.array_equal(found[0], found[1]) == (name in FIXED)
    assert not np.array_equal(corrupt(images, name, 5, seed=1), found)


IMAGES = np.full((2, 32, 32, 3), 9, "uint8")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((IMAGES, "rain"), r"'gaussian_noise', .*corruption='rain'"),
        ((IMAGES, "fog", 0), r"from 1 to 5.*severity=0"),
        ((IMAGES * 99.0, "fog"), r"`value_range=\(black, white\)`.*to 891"),
        ((IMAGES[0], "fog"), r"\(num_images, height, width, channels\)"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        corrupt(*arguments)
