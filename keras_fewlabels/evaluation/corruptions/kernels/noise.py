"""Noise that is drawn for each pixel and channel."""

import numpy as np

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def gaussian_noise(images, severity, generators):
    """Adds normal noise, as in dim light."""
    scale = severity_constants(
        (0.04, 0.06, 0.08, 0.09, 0.10),
        (0.04, 0.08, 0.12, 0.15, 0.18),
        (0.08, 0.12, 0.18, 0.26, 0.38),
        severity,
        images,
    )
    return images + scale * standard_normal(images.shape[1:], generators)


def shot_noise(images, severity, generators):
    """Counts photons, of which white has 500 to 50 (at 224 pixels 60 to 3)."""
    rate = severity_constants(
        (500, 250, 100, 75, 50),
        (250, 100, 50, 30, 15),
        (60, 25, 12, 5, 3),
        severity,
        images,
    )
    return poisson(images, rate, generators)


def impulse_noise(images, severity, generators):
    """Replaces a share of the values by the darkest or the brightest."""
    share = severity_constants(
        (0.01, 0.02, 0.03, 0.05, 0.07),
        (0.01, 0.02, 0.05, 0.08, 0.14),
        (0.03, 0.06, 0.09, 0.17, 0.27),
        severity,
        images,
    )
    shape = images.shape[1:]
    drawn = np.stack(
        [generator.random(shape, "float32") for generator in generators]
    )
    noisy = np.where(drawn < share / 2, 0, images)
    return np.where(drawn >= 1 - share / 2, 1, noisy)


def speckle_noise(images, severity, generators):
    """Adds normal noise in proportion to the value."""
    scale = severity_constants(
        (0.06, 0.10, 0.12, 0.16, 0.20),
        (0.15, 0.20, 0.25, 0.30, 0.35),
        (0.15, 0.20, 0.35, 0.45, 0.60),
        severity,
        images,
    )
    noise = standard_normal(images.shape[1:], generators)
    return images * (1 + scale * noise)


def standard_normal(shape, generators):
    """Draws normal noise of `shape` per generator, `(batch, *shape)`."""
    return np.stack(
        [
            generator.standard_normal(shape, "float32")
            for generator in generators
        ]
    )


def poisson(images, rate, generators):
    """Draws counts of photons, divided by `rate`, the mean count of white."""
    pairs = zip(images, generators, strict=True)
    counts = np.stack(
        [generator.poisson(rate * image) for image, generator in pairs]
    )
    return (counts / rate).astype("float32")
