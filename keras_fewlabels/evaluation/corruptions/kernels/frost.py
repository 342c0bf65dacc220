import numpy as np

from keras_fewlabels.evaluation.corruptions.kernels.blur import smeared
from keras_fewlabels.evaluation.corruptions.kernels.color import luminance
from keras_fewlabels.evaluation.corruptions.kernels.fog import plasma
from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def frost(images, severity, generators):
    """Covers images with needles of ice.

    The benchmark overlays crops of five photographs; here the ice is drawn,
    with their brightness, contrast and tint. Errors are thus of the same kind,
    but not comparable to a percent.
    """
    keep, cover = severity_constants(
        ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
        ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
        severity,
        images,
    )
    ice = np.clip(_ice(images.shape[1:3], generators), 0, 1)
    if images.shape[-1] == 1:
        ice = luminance(ice)
    return keep * images + cover * ice


def _ice(shape, generators, num_directions=6):
    """Needles in a few directions on clouds, white on blue, in about 0 to 1."""
    length = 3 + min(shape) / 16
    angles = np.stack(
        [each.uniform(0, 360, num_directions) for each in generators]
    )
    seeds = [
        each.random((*shape, num_directions), "float32") for each in generators
    ]
    # A high power leaves few places where a needle starts, of all strengths.
    seeds = np.stack(seeds) ** 40
    needles = sum(
        smeared(seeds[..., [number]], length, length / 2, angles[:, number])
        for number in range(num_directions)
    )
    clouds = plasma(max(shape), 1.7, generators)[
        :, : shape[0], : shape[1], None
    ]
    texture = _standardized(needles) + _standardized(clouds)
    level = np.stack(
        [each.uniform(0.48, 0.81, (1, 1, 1)) for each in generators]
    )
    tint = np.array([-0.06, 0, 0.04], "float32")
    return (level + tint + 0.08 * texture).astype("float32")


def _standardized(textures):
    centred = textures - textures.mean(axis=(1, 2, 3), keepdims=True)
    return centred / centred.std(axis=(1, 2, 3), keepdims=True)
