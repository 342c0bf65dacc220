"""Writes `reference.npz`: images that `imagecorruptions` has corrupted.

`test_reference.py` compares the kernels with this file. Run the script in an
environment of its own, because `imagecorruptions` needs old packages:

    python3 -m venv reference
    reference/bin/pip install imagecorruptions==1.1.2 "setuptools<81" \
        "numpy<2" scikit-image==0.21.0 opencv-python-headless scikit-learn
    reference/bin/python make_reference.py

The tests call `photographs`, `statistics` and `GRID` of this file, too.
"""

import pathlib
from unittest import mock

import numpy as np
from PIL import Image

PATH = pathlib.Path(__file__).with_name("reference.npz")
SEVERITIES = (1, 3, 5)
# The pixels that are stored, to keep the file small.
GRID = (slice(None, None, 10), slice(None, None, 10))


def photographs(size):
    """Returns six photographs of scikit-learn, uint8."""
    from sklearn.datasets import load_sample_images

    views = [
        photograph[:, start : start + 427]
        for photograph in load_sample_images().images
        for start in (0, 100, 200)
    ]
    box = Image.Resampling.BOX
    return np.stack(
        [
            np.asarray(Image.fromarray(view).resize((size, size), box))
            for view in views
        ]
    )


def statistics(images, clean):
    """Returns five floats that are nearly the same for all random draws.

    These are the mean distance to the clean images, the mean brightness, the
    mean standard deviation of an image, the mean difference of neighbouring
    pixels, and the share of the clean differences that is left (the slope of
    a regression).
    """
    images, clean = images.astype(float), clean.astype(float)
    differences, before = np.diff(images, axis=2), np.diff(clean, axis=2)
    return [
        np.abs(images - clean).mean(),
        images.mean(),
        images.std(axis=(1, 2, 3)).mean(),
        np.abs(differences).mean(),
        (differences * before).sum() / (before**2).sum(),
    ]


class Draws:
    """`numpy.random` for `imagecorruptions`, with the draws of `corrupt`."""

    def __init__(self, severity):
        self.generator = np.random.default_rng([0, severity, 0])

    def normal(self, loc=0.0, scale=1.0, size=None):
        return loc + scale * self.generator.standard_normal(size, "float32")

    def __getattr__(self, name):
        return getattr(self.generator, name)


def elastic_transform(image, severity, draws):
    """Returns an image as the code of ImageNet-C stretches it.

    `imagecorruptions` has an elastic transform of its own.
    """
    import cv2
    from scipy import ndimage

    waves, sigma, shift = {
        1: (244 * 2, 244 * 0.7, 244 * 0.1),
        3: (244 * 0.05, 244 * 0.01, 244 * 0.02),
        5: (244 * 0.12, 244 * 0.01, 244 * 0.02),
    }[severity]
    shape = image.shape[:2]
    corners = np.array([[1, 1], [-1, 1], [-1, -1]]) * (min(shape) // 3)
    points = np.array(shape) // 2 + corners
    moved = points + draws.uniform(-shift, shift, (3, 2))
    # OpenCV has columns first.
    matrix = cv2.getAffineTransform(
        np.float32(points[:, ::-1]), np.float32(moved[:, ::-1])
    )
    image = cv2.warpAffine(
        image, matrix, shape[::-1], borderMode=cv2.BORDER_REFLECT_101
    )
    moves = [
        waves * ndimage.gaussian_filter(each, sigma, mode="reflect", truncate=3)
        for each in draws.uniform(-1, 1, (2, *shape))
    ]
    places = np.indices(shape) + moves
    channels = [
        ndimage.map_coordinates(channel, places, order=1, mode="reflect")
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack(channels, axis=-1)


def corrupted(image, severity, name, draws=np.random):
    import imagecorruptions

    if name == "elastic_transform":
        return elastic_transform(image, severity, draws)
    functions = {
        function: getattr(draws, function)
        for function in ("normal", "uniform", "poisson")
    }
    with mock.patch.multiple(np.random, **functions):
        return imagecorruptions.corrupt(image, severity, name)


def accept_new_scikit_image():
    from imagecorruptions import corruptions
    from skimage.filters import gaussian

    # It has renamed the argument `multichannel`.
    def gaussian_filter(image, sigma, multichannel=False, **options):
        axis = -1 if multichannel else None
        return gaussian(image, sigma, channel_axis=axis, **options)

    corruptions.gaussian = gaussian_filter


def main():
    from imagecorruptions import get_corruption_names

    accept_new_scikit_image()
    images = photographs(224)
    arrays = {"clean": images[1][GRID]}
    np.random.seed(0)  # noqa: NPY002
    for name in get_corruption_names("all"):
        for severity in SEVERITIES:
            same = corrupted(images[1], severity, name, Draws(severity))
            arrays[f"{name} {severity}"] = same[GRID]
            others = [corrupted(image, severity, name) for image in images]
            arrays[f"{name} {severity} statistics"] = np.asarray(
                statistics(np.stack(others), images), "float32"
            )
    np.savez_compressed(PATH, **arrays)


if __name__ == "__main__":
    main()
