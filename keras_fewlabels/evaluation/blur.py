"""Blur by one kernel for all images."""

import math

import numpy as np
from scipy import ndimage, signal

from keras_fewlabels.evaluation.severity_constants import severity_constants


def gaussian_blur(images, severity, generators):
    """Blurs with a normal kernel."""
    sigma = severity_constants(
        (0.4, 0.6, 0.7, 0.8, 1.0), (1, 2, 3, 4, 6), severity, images
    )
    return smoothed(images, sigma)


def defocus_blur(images, severity, generators):
    """Spreads each pixel over a disk, as a lens out of focus does."""
    radius, sigma = severity_constants(
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1)),
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        severity,
        images,
    )
    kernel = disk(radius, sigma).astype("float32")
    half = len(kernel) // 2
    border = ((0, 0), (half, half), (half, half), (0, 0))
    padded = np.pad(images, border, mode="reflect")
    return signal.fftconvolve(
        padded, kernel[None, :, :, None], mode="valid", axes=(1, 2)
    )


def smoothed(images, sigma):
    """Images blurred by `sigma` pixels, each channel for itself."""
    spread = (0, sigma, sigma) + (0,) * (images.ndim - 3)
    return ndimage.gaussian_filter(images, spread, mode="nearest")


def disk(radius, sigma):
    """A kernel that is a disk, its edge smoothed by `sigma` pixels.

    As in the benchmark, what would be smoothed out of the kernel is mirrored
    into it, so that disks of 8 pixels and more brighten images by a percent.
    """
    half = max(8, math.ceil(radius))
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1]
    inside = (rows**2 + columns**2 <= radius**2).astype("float64")
    return ndimage.gaussian_filter(
        inside / inside.sum(),
        sigma,
        mode="mirror",
        radius=1 if radius <= 8 else 2,
    )
