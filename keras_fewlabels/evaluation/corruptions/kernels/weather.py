"""Snow, frost, fog and bright light."""

import numpy as np

from keras_fewlabels.evaluation.corruptions.kernels.blur import smeared, zoomed
from keras_fewlabels.evaluation.corruptions.kernels.noise import standard_normal
from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def snow(images, severity, generators):
    """Whitens images, and adds flakes that fall in two directions."""
    mean, scale, zoom, threshold, radius, sigma, keep = severity_constants(
        (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
        (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.8),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.8),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.7),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.65),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
        ),
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
        severity,
        images,
    )
    shape = (*images.shape[1:3], 1)
    layer = zoomed(mean + scale * standard_normal(shape, generators), zoom)
    flakes = np.where(layer < threshold, 0, np.minimum(layer, 1))
    angles = [generator.uniform(-135, -45) for generator in generators]
    flakes = smeared(flakes, radius, sigma, angles)
    white = np.maximum(images, 1.5 * luminance(images) + 0.5)
    turned = flakes[:, ::-1, ::-1]
    return keep * images + (1 - keep) * white + flakes + turned


def frost(images, severity, generators):
    """Covers images with needles of ice.

    The benchmark overlays crops of five photographs. Here the ice is drawn,
    with the brightness, contrast and tint of these photographs, so that errors
    are similar to those of the benchmark but not equal.
    """
    keep, cover = severity_constants(
        ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
        ((1, 0.3), (0.9, 0.4), (0.8, 0.45), (0.75, 0.5), (0.7, 0.55)),
        ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
        severity,
        images,
    )
    ice = np.clip(_ice(images.shape[1:3], generators), 0, 1)
    if images.shape[-1] == 1:
        ice = luminance(ice)
    return keep * images + cover * ice


def fog(images, severity, generators):
    """Adds clouds of plasma fractals, and keeps the brightest value."""
    strength, decay = severity_constants(
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        ((0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        severity,
        images,
    )
    height, width = images.shape[1:3]
    clouds = plasma(max(height, width), decay, generators)
    clouds = clouds[:, :height, :width, None]
    brightest = images.max(axis=(1, 2, 3), keepdims=True)
    return (images + strength * clouds) * brightest / (brightest + strength)


def brightness(images, severity, generators):
    """Raises the value of each pixel, in the colour space HSV."""
    amount = severity_constants(
        (0.05, 0.10, 0.15, 0.20, 0.30),
        (0.1, 0.2, 0.3, 0.4, 0.5),
        (0.1, 0.2, 0.3, 0.4, 0.5),
        severity,
        images,
    )
    return brightened(images, amount)


def brightened(images, amount):
    """Returns images whose value in HSV is `amount` higher."""
    value = images.max(axis=-1, keepdims=True)
    higher = np.clip(value + amount, 0, 1)
    scaled = images * (higher / np.where(value > 0, value, 1))
    return np.where(value > 0, scaled, higher)


def luminance(images):
    """Returns the perceived brightness, `(batch, height, width, 1)`."""
    if images.shape[-1] == 1:
        return images
    weights = np.array([0.299, 0.587, 0.114], "float32")
    return (images * weights).sum(axis=-1, keepdims=True)


def plasma(size, decay, generators):
    """Draws fractal clouds by the diamond-square algorithm.

    Args:
        size: Integer, the smallest width. The next power of two is drawn.
        decay: Float above 1, the factor by which each finer wave is lower.
        generators: Sequence of random generators, one per image.

    Returns:
        Array of shape `(batch, width, width)` from 0 to 1, whose opposite
        borders fit together.
    """
    width = 1 << (size - 1).bit_length()
    noise = np.stack(
        [generator.uniform(-1, 1, (width, width)) for generator in generators]
    )
    heights = np.zeros(noise.shape)
    step, wave = width, 100.0

    def fill(rows, columns, corners):
        # Each point is filled once, and so uses its own noise.
        heights[:, rows, columns] = (
            sum(corners) / 4 + wave**2 * noise[:, rows, columns]
        )

    while step > 1:
        on, between = slice(0, None, step), slice(step // 2, None, step)
        corners = heights[:, on, on]
        below = np.roll(corners, -1, axis=1)
        right = [np.roll(part, -1, axis=2) for part in (corners, below)]
        fill(between, between, [corners, below, *right])
        middles = heights[:, between, between]
        above, left = np.roll(middles, 1, axis=1), np.roll(middles, 1, axis=2)
        fill(on, between, [middles, above, corners, right[0]])
        fill(between, on, [middles, left, corners, below])
        step //= 2
        wave /= decay
    heights -= heights.min(axis=(1, 2), keepdims=True)
    heights /= heights.max(axis=(1, 2), keepdims=True)
    return heights.astype("float32")


def _ice(shape, generators, num_directions=6):
    """Draws white needles in a few directions on blue clouds, 0 to about 1."""
    length = 3 + min(shape) / 16
    angles = np.stack(
        [generator.uniform(0, 360, num_directions) for generator in generators]
    )
    seeds = np.stack(
        [
            generator.random((*shape, num_directions), "float32")
            for generator in generators
        ]
    )
    # A high power leaves few places where a needle starts, of all strengths.
    seeds = seeds**40
    needles = sum(
        smeared(seeds[..., [number]], length, length / 2, angles[:, number])
        for number in range(num_directions)
    )
    clouds = plasma(max(shape), 1.7, generators)
    clouds = clouds[:, : shape[0], : shape[1], None]
    texture = _standardized(needles) + _standardized(clouds)
    level = np.stack(
        [generator.uniform(0.48, 0.81, (1, 1, 1)) for generator in generators]
    )
    tint = np.array([-0.06, 0, 0.04], "float32")
    return (level + tint + 0.08 * texture).astype("float32")


def _standardized(textures):
    centred = textures - textures.mean(axis=(1, 2, 3), keepdims=True)
    return centred / centred.std(axis=(1, 2, 3), keepdims=True)
