import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops.noisy_student.recommended_noise import (
    image_noise,
    mirror_accuracy,
    model_noise,
)
from keras_fewlabels.loops.noisy_student.task import inspect_task

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
    task = inspect_task(
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
        assert settings["labeled_noise"] == view


@pytest.mark.parametrize("count, rate", [(0, 0.0), (7, 0.0), (8, 0.2)])
def test_branches_are_dropped_where_there_are_many(count, rate):
    inputs = keras.Input((8, 9, 3))
    x = keras.layers.Identity()(inputs)
    for _ in range(count):
        branch = keras.layers.Conv2D(3, 3, padding="same")(x)
        x = keras.layers.Add()([x, branch])
    found, why = model_noise(keras.Model(inputs, x))["stochastic_depth"]
    assert found == rate
    assert f"{count or 'no'} residual branches" in why


# What a classifier that knows nothing reaches, give or take four standard
# errors: of 400 images, each is told from its mirror image or not.
BY_CHANCE = pytest.approx(0.5, abs=0.1)


def noise(height=12, width=12, channels=1):
    random = np.random.default_rng(0)
    return random.normal(size=(400, height, width, channels))


@pytest.mark.parametrize("width", [2, 3, 7, 8, 9, 15, 16, 17, 28, 33, 65])
def test_noise_is_told_by_chance_and_one_sided_images_always(width):
    images = noise(width=width)
    assert mirror_accuracy(images) == BY_CHANCE
    images[:, :, : width // 2] += 5
    assert mirror_accuracy(images) > 0.99


@pytest.mark.parametrize("width", [3, 7, 8, 9, 15, 16, 17, 28, 33, 65])
def test_what_all_images_have_on_both_sides_says_nothing(width):
    # As darker corners do, whichever pixel the middle is.
    vignette = -np.abs(np.linspace(-5, 5, width))
    images = noise(width=width) + vignette[:, None]
    assert mirror_accuracy(images) == BY_CHANCE


@pytest.mark.parametrize("height", [1, 2, 7, 17])
def test_what_is_above_or_below_says_nothing(height):
    images = noise(height=height)
    images[:, : height // 2] += 5
    assert mirror_accuracy(images) == BY_CHANCE


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_images_that_are_as_often_one_way_round_as_the_other(share):
    # A quarter of them turned: what is right about three is wrong of one.
    images = noise() / 10
    images[:, :, :6] += 1
    turned = np.random.default_rng(1).random(400) < share
    images[turned] = images[turned, :, ::-1]
    expected = max(share, 1 - share)
    assert mirror_accuracy(images) == pytest.approx(expected, abs=0.1)


def test_it_is_the_same_for_mirror_images_and_other_units():
    images = noise(channels=3)
    images[:, 4, 9] += 1
    accuracy = mirror_accuracy(images)
    assert 0.6 < accuracy < 0.95
    assert mirror_accuracy(images[:, :, ::-1]) == pytest.approx(accuracy)
    assert mirror_accuracy(100 + 10 * images) == pytest.approx(accuracy)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 9), (9, 1), (2, 3)])
def test_tiny_and_constant_images(shape, dtype):
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (400, *shape, 3)).astype(dtype)
    assert mirror_accuracy(images) == BY_CHANCE
    for value in (0, 7):
        assert mirror_accuracy(np.full_like(images, value)) == 0.5
    assert 0 <= mirror_accuracy(images[:2]) <= 1
