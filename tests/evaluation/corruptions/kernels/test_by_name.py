import numpy as np
import pytest

from keras_fewlabels.evaluation import corrupt
from keras_fewlabels.evaluation.corruptions.corruption_report import (
    ALEXNET_ERRORS,
)
from keras_fewlabels.evaluation.corruptions.kernels.by_name import CORRUPTIONS

EXTRA = ["speckle_noise", "gaussian_blur", "spatter", "saturate"]


def test_fifteen_of_the_benchmark_and_four_more():
    assert list(CORRUPTIONS) == [*ALEXNET_ERRORS, *EXTRA]


# The severities, in the order of their distance to the clean image. Where it
# is not 1 to 5, the benchmark trades one constant for another: it orders by
# what networks make of them. Left out are those that tie.
ORDERS = dict.fromkeys(CORRUPTIONS, (1, 2, 3, 4, 5)) | {
    "glass_blur": (1, 4),
    "motion_blur": (1, 2, 3, 5),
    "frost": (1, 2, 5),
    "elastic_transform": (5, 3, 1),
    "spatter": (1, 2, 3),
    "saturate": (3, 4, 5),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_distance_grows_with_severity(name, photographs):
    images = np.concatenate([photographs(32)] * 4)
    distances = [
        np.abs(corrupt(images, name, severity).astype(float) - images).mean()
        for severity in ORDERS[name]
    ]
    assert distances == sorted(distances)
    assert distances[0] > 0.9
    assert distances[-1] > 1.2 * distances[0]


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(32, 50), (101, 64), (230, 225)])
def test_any_size_and_number_of_channels(name, shape, photographs):
    images = photographs(*shape)[:1]
    for severity, channels in ((1, 3), (5, 1)):
        found = corrupt(images[..., :channels], name, severity)
        assert found.shape == (1, *shape, channels)
        is_same = np.array_equal(found, images[..., :channels])
        assert is_same == (name == "saturate" and channels == 1)


@pytest.mark.parametrize(
    "name, severity, expected",
    [
        ("brightness", 1, 0.1),
        ("contrast", 5, 0.05),
        ("gaussian_noise", 3, 0.12),
        ("impulse_noise", 5, 0.14),
    ],
)
def test_images_of_64_pixels_have_the_published_strength(
    name, severity, expected
):
    # The values of ImageNet-64x64-C, in the middle of the range of levels.
    images = np.full((2, 64, 64, 3), 0.5, "float32")
    images[:, :32] = 0.4
    generators = [np.random.default_rng(number) for number in range(2)]
    found = CORRUPTIONS[name](images, severity, generators)
    change = found - images
    measured = {
        "brightness": lambda: change.mean(),
        "contrast": lambda: np.ptp(found) / np.ptp(images),
        "gaussian_noise": lambda: change.std(),
        "impulse_noise": lambda: (change != 0).mean(),
    }[name]()
    assert measured == pytest.approx(expected, rel=0.05)
