import numpy as np

from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def fog(images, severity, generators):
    """Lays clouds of plasma fractals over images, and dims them to fit."""
    strength, decay = severity_constants(
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        severity,
        images,
    )
    height, width = images.shape[1:3]
    clouds = plasma(max(height, width), decay, generators)
    clouds = clouds[:, :height, :width, None]
    brightest = images.max(axis=(1, 2, 3), keepdims=True)
    return (images + strength * clouds) * brightest / (brightest + strength)


def plasma(size, decay, generators):
    """Fractal clouds by the diamond-square algorithm.

    Args:
        size: Integer, the least width; the next power of two is drawn.
        decay: Float above 1, how much finer waves are lower.
        generators: Sequence of random generators, one per image.

    Returns:
        Array of shape `(batch, width, width)` from 0 to 1, whose borders fit
        together.
    """
    width = 1 << (size - 1).bit_length()
    noise = np.stack(
        [each.uniform(-1, 1, (width, width)) for each in generators]
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
        right = [np.roll(each, -1, axis=2) for each in (corners, below)]
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
