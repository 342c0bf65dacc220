import numpy as np
import pytest

from keras_fewlabels.loops.mirror_test import mirror_accuracy

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
