import math

import numpy as np
import pytest

from keras_fewlabels.evaluation.motion_blur import motion_blur, smeared


def slowly_smeared(image, radius, sigma, angle):
    height, width = image.shape[:2]
    weights = [math.exp(-((i / sigma) ** 2) / 2) for i in range(2 * radius + 1)]
    output = np.zeros(image.shape)
    for row, column in np.ndindex(height, width):
        for step, weight in enumerate(weights):
            down = math.ceil(step * math.sin(math.radians(angle)) - 0.5)
            right = math.ceil(step * math.cos(math.radians(angle)) - 0.5)
            source = (
                min(max(row + down, 0), height - 1),
                min(max(column + right, 0), width - 1),
            )
            output[row, column] += weight / sum(weights) * image[source]
    return output


@pytest.mark.parametrize("radius, sigma", [(3, 1.5), (9, 2.5)])
def test_smeared_is_the_slow_sum(radius, sigma):
    images = np.random.default_rng(0).random((4, 14, 17, 2)).astype("float32")
    angles = [0, 30, -100, 250]
    found = smeared(images, radius, sigma, angles)
    for image, angle, output in zip(images, angles, found, strict=True):
        np.testing.assert_allclose(
            output, slowly_smeared(image, radius, sigma, angle), atol=1e-6
        )


def test_trail_of_a_point_at_zero_degrees():
    images = np.zeros((1, 5, 9, 1), "float32")
    images[0, 2, 6] = 1
    (output,) = smeared(images, 2, 1.0, [0])[..., 0]
    assert output[2, 2:7].tolist() == sorted(output[2, 2:7])
    assert output.sum() == output[2, 2:7].sum() == pytest.approx(1)


def test_each_image_has_a_direction_within_45_degrees(generators):
    # A point leaves a trail in the direction that it was smeared from.
    images = np.zeros((200, 33, 33, 1), "float32")
    images[:, 16, 16] = 1
    trails = motion_blur(images, 5, generators(200))[..., 0]
    rows, columns = np.mgrid[16:-17:-1, 16:-17:-1]
    slopes = [
        np.average(rows / columns.clip(1), weights=t * (columns > 3))
        for t in trails
    ]
    angles = np.degrees(np.arctan(slopes))
    assert angles.min() == pytest.approx(-45, abs=3)
    assert angles.max() == pytest.approx(45, abs=3)
    assert np.mean(angles < -15) == pytest.approx(1 / 3, abs=0.1)


def test_severities_have_the_published_constants(generators, photographs):
    images = photographs(32)[:1] / np.float32(255)
    angle = generators(1)[0].uniform(-45, 45)
    np.testing.assert_allclose(
        motion_blur(images, 4, generators(1))[0],
        slowly_smeared(images[0], 8, 2, angle),
        atol=1e-6,
    )
