import numpy as np

from keras_fewlabels.evaluation.blur import smoothed
from keras_fewlabels.evaluation.severity_constants import severity_constants


def glass_blur(images, severity, generators):
    """Scatters pixels among their neighbours, as frosted glass does.

    The benchmark means to swap pixels, but copies them: each takes the value
    of a neighbour drawn at random, from the last pixel to the first.
    """
    sigma, reach, rounds = severity_constants(
        ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        severity,
        images,
    )
    reach, rounds = round(reach), round(rounds)
    shape = (2, *images.shape[1:3])
    images = smoothed(images, sigma)
    for _ in range(rounds):
        steps = [each.integers(-reach, reach, shape) for each in generators]
        images = scattered(images, np.stack(steps), reach)
    return smoothed(images, sigma)


def scattered(images, steps, reach):
    """Gives each pixel the value of a neighbour, from the last to the first.

    Args:
        images: Array of shape `(batch, height, width, channels)`.
        steps: Integers of shape `(batch, 2, height, width)`, how many rows
            and columns away from each pixel its neighbour is.
        reach: Integer. Pixels this close to the border keep their value.

    Returns:
        Array of the shape of `images`.
    """
    batch, height, width, channels = images.shape
    rows, columns = np.indices((height, width))
    inner = (rows > reach) & (rows <= height - reach)
    inner &= (columns > reach) & (columns <= width - reach)
    inner = inner.ravel()
    places = np.arange(height * width)
    offsets = (steps[:, 0] * width + steps[:, 1]).reshape(batch, -1)
    neighbors = places + np.where(inner, offsets, 0)
    # A neighbour further on in the image has taken a value before this pixel
    # does, so look where that value came from, and so on.
    here, sources = places, neighbors
    while (taken := (sources > here) & inner[sources]).any():
        onward = np.take_along_axis(neighbors, sources, axis=1)
        here, sources = sources, np.where(taken, onward, sources)
    pixels = images.reshape(batch, -1, channels)
    pixels = np.take_along_axis(pixels, sources[..., None], axis=1)
    return pixels.reshape(images.shape)
