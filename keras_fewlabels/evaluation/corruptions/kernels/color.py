"""Brightness, contrast and saturation."""

import numpy as np

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def brightness(images, severity, generators):
    """Raises the value of each pixel, in the colour space HSV."""
    amount = severity_constants(
        (0.05, 0.10, 0.15, 0.20, 0.30),
        (0.1, 0.2, 0.3, 0.4, 0.5),
        severity,
        images,
    )
    return brightened(images, amount)


def contrast(images, severity, generators):
    """Draws each channel towards its mean over the image."""
    factor = severity_constants(
        (0.75, 0.50, 0.40, 0.30, 0.15),
        (0.4, 0.3, 0.2, 0.1, 0.05),
        severity,
        images,
    )
    mean = images.mean(axis=(1, 2), keepdims=True)
    return mean + factor * (images - mean)


def saturate(images, severity, generators):
    """Fades colours at severities 1 and 2, and strengthens them above.

    Grey pixels have the hue of red, as in the benchmark. Images of one
    channel stay as they are.
    """
    factor, offset = severity_constants(
        ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        severity,
        images,
    )
    if images.shape[-1] == 1:
        return images
    value = images.max(axis=-1, keepdims=True)
    depth = value - images
    spread = depth.max(axis=-1, keepdims=True)
    saturation = spread / np.where(value > 0, value, 1)
    red = np.array([0, 1, 1], "float32")
    hue = np.where(spread > 0, depth / np.where(spread > 0, spread, 1), red)
    saturation = np.clip(factor * saturation + offset, 0, 1)
    return value * (1 - saturation * hue)


def brightened(images, amount):
    """Images whose brightest channel is `amount` higher, of the same hue."""
    value = images.max(axis=-1, keepdims=True)
    higher = np.clip(value + amount, 0, 1)
    scaled = images * (higher / np.where(value > 0, value, 1))
    return np.where(value > 0, scaled, higher)


def luminance(images):
    """How bright pixels look, of shape `(batch, height, width, 1)`."""
    if images.shape[-1] == 1:
        return images
    weights = np.array([0.299, 0.587, 0.114], "float32")
    return (images * weights).sum(axis=-1, keepdims=True)
