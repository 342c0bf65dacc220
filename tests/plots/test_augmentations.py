import keras
import numpy as np
import pytest

import keras_fewlabels as kfl


def drawn(figure):
    return [image.get_array() for image in figure.axes[0].images]


def test_original_first_then_the_views():
    images = np.array([40, 200], "uint8").reshape(2, 1, 1, 1)
    layer = kfl.layers.RandAugment(1, ops=["invert"])
    figure = kfl.plots.augmentations(
        images, layer, num_views=2, titles=["dark", "bright"]
    )
    levels = [round(255 * float(array[0, 0, 0])) for array in drawn(figure)]
    assert levels == [40, 215, 215, 200, 55, 55]
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["dark", "bright", "original", "view 1", "view 2"]


def test_views_differ_and_layers_train():
    images = np.full((1, 8, 8, 3), 100, "uint8")
    layer = kfl.layers.RandAugment(
        1, 3, ops=["brightness"], seed=0, magnitude_std=2
    )
    figure = kfl.plots.augmentations(images, layer)
    assert len({float(array[0, 0, 0]) for array in drawn(figure)}) > 4


def test_value_range_is_the_layers_own():
    images = np.zeros((1, 2, 2, 1), "float32")
    layer = kfl.layers.RandAugment(1, value_range=(-1, 1), ops=["identity"])
    for array in drawn(kfl.plots.augmentations(images, layer, 1)):
        np.testing.assert_allclose(array, 0.5)
    for array in drawn(
        kfl.plots.augmentations(images, layer, 1, value_range=(0, 1))
    ):
        np.testing.assert_array_equal(array, 0)


def test_layer_of_keras_and_function_of_images():
    images = np.full((1, 4, 6, 3), 51, "uint8")
    crop = keras.layers.RandomCrop(3, 3)
    figure = kfl.plots.augmentations(images, crop, num_views=1)
    assert [x.shape for x in drawn(figure)] == [(4, 6, 3), (3, 3, 3)]
    figure = kfl.plots.augmentations(images, lambda x: x // 2, num_views=1)
    assert [round(255 * float(x[0, 0, 0])) for x in drawn(figure)] == [51, 25]


WRONG = [
    (np.zeros((8, 8, 3), "uint8"), {}, r"`images\[None\]`.*shape=\(8, 8, 3\)"),
    (np.zeros((1, 8, 8, 3), "uint8"), {"num_views": 0}, r"1 or more.*views=0"),
    (np.full((1, 8, 8, 3), 300.0), {}, r"`value_range=\(black, white\)`.*300"),
    (
        np.zeros((1, 8, 8, 3), "uint8"),
        {"titles": ["a", "b"]},
        r"must hold 1 titles, one for each image",
    ),
]


@pytest.mark.parametrize("images, kwargs, message", WRONG)
def test_wrong_arguments(images, kwargs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        kfl.plots.augmentations(images, keras.layers.RandomFlip(), **kwargs)
