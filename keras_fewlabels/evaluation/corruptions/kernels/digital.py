"""Contrast, stretched regions, large pixels, JPEG and saturation."""

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def contrast(images, severity, generators):
    """Moves each channel towards its mean over the image."""
    factor = severity_constants(
        (0.75, 0.50, 0.40, 0.30, 0.15),
        (0.4, 0.3, 0.2, 0.1, 0.05),
        (0.4, 0.3, 0.2, 0.1, 0.05),
        severity,
        images,
    )
    mean = images.mean(axis=(1, 2), keepdims=True)
    return mean + factor * (images - mean)


def elastic_transform(images, severity, generators):
    """Stretches the whole image, and each region of it a little."""
    waves, sigma, shift = severity_constants(
        (
            (0.0, 0.0, 2.56),
            (1.6, 6.4, 2.24),
            (2.56, 1.92, 1.92),
            (3.2, 1.28, 1.6),
            (3.2, 0.96, 0.96),
        ),
        (
            (0.0, 0.0, 5.12),
            (3.2, 19.2, 3.84),
            (6.4, 5.12, 3.84),
            (6.4, 1.92, 1.92),
            (10.24, 1.92, 1.28),
        ),
        (
            (488, 170.8, 24.4),
            (488, 19.52, 48.8),
            (12.2, 2.44, 4.88),
            (17.08, 2.44, 4.88),
            (29.28, 2.44, 4.88),
        ),
        severity,
        images,
    )
    stretched = np.stack(
        [
            _stretched(image, shift, generator)
            for image, generator in zip(images, generators, strict=True)
        ]
    )
    shape = (2, *images.shape[1:3])
    moves = np.stack(
        [generator.uniform(-1, 1, shape) for generator in generators]
    )
    moves = waves * ndimage.gaussian_filter(
        moves, (0, 0, sigma, sigma), mode="reflect", truncate=3
    )
    places = np.indices(shape[1:]) + moves
    return np.stack(
        [
            _read(*pair, mode="reflect")
            for pair in zip(stretched, places, strict=True)
        ]
    )


def pixelate(images, severity, generators):
    """Shrinks images, and enlarges their pixels again."""
    share = severity_constants(
        (0.95, 0.90, 0.85, 0.75, 0.65),
        (0.9, 0.8, 0.7, 0.6, 0.5),
        (0.6, 0.5, 0.4, 0.3, 0.25),
        severity,
        images,
    )
    height, width = images.shape[1:3]
    small = int(share * width), int(share * height)
    return _with_pillow(
        images,
        lambda image: image.resize(small, Image.Resampling.BOX).resize(
            (width, height), Image.Resampling.BOX
        ),
    )


def jpeg_compression(images, severity, generators):
    """Stores images as JPEG of low quality."""
    quality = severity_constants(
        (80, 65, 58, 50, 40),
        (65, 58, 50, 40, 25),
        (25, 18, 15, 10, 7),
        severity,
        images,
    )
    return _with_pillow(images, lambda image: _as_jpeg(image, round(quality)))


def saturate(images, severity, generators):
    """Fades colours at severities 1 and 2, and strengthens them above.

    Grey pixels have the hue of red, as in the benchmark. Images of one
    channel stay as they are.
    """
    factor, offset = severity_constants(
        ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)),
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


def _stretched(image, shift, generator):
    """Moves three points of an image at random, and the rest affinely."""
    middle = np.array(image.shape[:2]) // 2
    arm = min(image.shape[:2]) // 3
    points = middle + arm * np.array([[1, 1], [-1, 1], [-1, -1]])
    moved = points + generator.uniform(-shift, shift, points.shape)
    # Maps moved points to their origins, since each pixel is looked up.
    matrix = np.linalg.solve(np.c_[moved, np.ones(3)], points)
    rows, columns = np.indices(image.shape[:2])
    ones = np.ones(rows.shape)
    places = np.tensordot(matrix.T, np.stack([rows, columns, ones]), axes=1)
    return _read(image, places, mode="mirror")


def _read(image, places, mode):
    """Reads an image at places between its pixels, bilinearly."""
    channels = [
        ndimage.map_coordinates(channel, places, order=1, mode=mode)
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack(channels, axis=-1)


def _as_jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _with_pillow(images, function):
    """Applies a function of a Pillow image to each image."""
    levels = np.rint(255 * images).astype("uint8")
    # Pillow knows grey images without an axis of channels.
    levels = levels[..., 0] if levels.shape[-1] == 1 else levels
    outputs = [np.asarray(function(Image.fromarray(x))) for x in levels]
    return np.stack(outputs).reshape(images.shape).astype("float32") / 255
