"""Losses of a file format and of a resolution, by Pillow."""

import io

import numpy as np
from PIL import Image

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def jpeg_compression(images, severity, generators):
    """Stores images as JPEG of low quality."""
    quality = severity_constants(
        (80, 65, 58, 50, 40), (25, 18, 15, 10, 7), severity, images
    )
    return _each(images, lambda image: _stored(image, round(quality)))


def pixelate(images, severity, generators):
    """Shrinks images, and enlarges their pixels again."""
    share = severity_constants(
        (0.95, 0.90, 0.85, 0.75, 0.65),
        (0.6, 0.5, 0.4, 0.3, 0.25),
        severity,
        images,
    )
    height, width = images.shape[1:3]
    small = int(share * width), int(share * height)
    return _each(
        images,
        lambda image: image.resize(small, Image.Resampling.BOX).resize(
            (width, height), Image.Resampling.BOX
        ),
    )


def _stored(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _each(images, function):
    levels = np.rint(255 * images).astype("uint8")
    # Pillow knows grey images without an axis of channels.
    levels = levels[..., 0] if levels.shape[-1] == 1 else levels
    changed = [np.asarray(function(Image.fromarray(each))) for each in levels]
    return np.stack(changed).reshape(images.shape).astype("float32") / 255
