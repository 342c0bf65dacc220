import numpy as np

from keras_fewlabels.evaluation.corruptions.kernels.blur import smeared, zoomed
from keras_fewlabels.evaluation.corruptions.kernels.color import luminance
from keras_fewlabels.evaluation.corruptions.kernels.noise import standard_normal
from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)


def snow(images, severity, generators):
    """Whitens images, and lets flakes fall over them in two directions."""
    mean, scale, zoom, threshold, radius, sigma, keep = severity_constants(
        (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
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
    angles = [each.uniform(-135, -45) for each in generators]
    flakes = smeared(flakes, radius, sigma, angles)
    white = np.maximum(images, 1.5 * luminance(images) + 0.5)
    turned = flakes[:, ::-1, ::-1]
    return keep * images + (1 - keep) * white + flakes + turned
