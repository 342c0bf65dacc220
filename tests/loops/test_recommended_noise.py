import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops.recommended_noise import image_noise, model_noise
from keras_fewlabels.loops.task import look_at

COLOUR = np.random.default_rng(0).random((200, 8, 9, 3), "float32")


def build(channels):
    return keras.Sequential(
        [
            keras.Input((8, 9, channels)),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )


def settings_of(images=COLOUR, num_labeled=20):
    labels = np.arange(num_labeled) % 2
    task = look_at(
        build(images.shape[-1]),
        (images[:num_labeled], labels),
        images[num_labeled:],
    )
    noise = image_noise(task)
    settings = {name: value for name, (value, _) in noise.items()}
    return {**settings, "why": {name: why for name, (_, why) in noise.items()}}


def as_uint8(images):
    return (255 * images).astype("uint8")


def test_grey_images_keep_their_shades():
    grey = settings_of(COLOUR[..., :1])
    assert set(grey["ops"]) < set(RandAugment.OPS)
    assert "invert" not in grey["ops"] and "solarize" not in grey["ops"]
    assert not grey["cutout"]
    colour = settings_of(COLOUR)
    assert colour["ops"] is None and colour["cutout"]
    assert colour["magnitude"] > grey["magnitude"]


def test_flips_where_images_look_like_their_mirror_images():
    assert settings_of()["flip"] is True
    one_sided = COLOUR / 2
    one_sided[:, :, :4] += 0.5
    settings = settings_of(one_sided)
    assert settings["flip"] is False
    assert "tells 100% of the images" in settings["why"]["flip"]
    few = settings_of(COLOUR[:119])
    assert few["flip"] is False
    assert "too few images" in few["why"]["flip"]
    assert settings_of(COLOUR[:120])["flip"] is True


@pytest.mark.parametrize("background", [0.0, 0.25, 1.0])
def test_the_background_is_moved_in(background):
    images = np.full_like(COLOUR, background)
    images[:, 2:6, 2:7] = COLOUR[:, 2:6, 2:7]
    settings = settings_of(images)
    assert settings["fill_value"] == background
    assert "100% of the pixels at the edges" in settings["why"]["fill_value"]
    assert settings_of(as_uint8(images))["fill_value"] == int(255 * background)
    assert settings_of()["fill_value"] is None


def test_many_labels_need_less_noise():
    many = np.resize(COLOUR, (350, 8, 9, 3))
    for num_labeled, view in ((198, "strong"), (200, "weak")):
        settings = settings_of(many, num_labeled)
        assert settings["labeled_view"] == view


@pytest.mark.parametrize("count, rate", [(0, 0.0), (7, 0.0), (8, 0.2)])
def test_branches_are_dropped_where_there_are_many(count, rate):
    x = inputs = keras.Input((8, 9, 3))
    for _ in range(count):
        branch = keras.layers.Conv2D(3, 3, padding="same")(x)
        x = keras.layers.Add()([x, branch])
    found, why = model_noise(keras.Model(inputs, x))["stochastic_depth"]
    assert found == rate
    assert f"{count or 'no'} residual branches" in why
