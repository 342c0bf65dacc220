import numpy as np
from scipy import ndimage

from keras_fewlabels.evaluation.corruptions.kernels.blur import smoothed
from keras_fewlabels.evaluation.corruptions.kernels.noise import standard_normal
from keras_fewlabels.evaluation.corruptions.kernels.severity_constants import (
    severity_constants,
)
from keras_fewlabels.evaluation.corruptions.kernels.weather import luminance

_WATER = np.array([175, 238, 238], "float32") / 255
_MUD = np.array([63, 42, 20], "float32") / 255


def spatter(images, severity, generators):
    """Adds drops of water at severities 1 to 3, and of mud above."""
    mean, scale, sigma, threshold, strength = severity_constants(
        (
            (0.62, 0.1, 0.7, 0.7, 0.5),
            (0.65, 0.1, 0.8, 0.7, 0.5),
            (0.65, 0.3, 1, 0.69, 0.5),
            (0.65, 0.1, 0.7, 0.69, 0.6),
            (0.65, 0.1, 0.5, 0.68, 0.6),
        ),
        (
            (0.62, 0.1, 0.7, 0.7, 0.6),
            (0.65, 0.1, 0.8, 0.7, 0.6),
            (0.65, 0.3, 1, 0.69, 0.6),
            (0.65, 0.1, 0.7, 0.68, 0.6),
            (0.65, 0.1, 0.5, 0.67, 0.6),
        ),
        (
            (0.65, 0.3, 4, 0.69, 0.6),
            (0.65, 0.3, 3, 0.68, 0.6),
            (0.65, 0.3, 2, 0.68, 0.5),
            (0.65, 0.3, 1, 0.65, 1.5),
            (0.67, 0.4, 1, 0.65, 1.5),
        ),
        severity,
        images,
    )
    noise = standard_normal(images.shape[1:3], generators)
    layer = smoothed(mean + scale * noise, sigma)
    liquid = np.where(layer < threshold, 0, layer)
    if severity > 3:
        cover = smoothed((liquid > 0).astype("float32"), strength)[..., None]
        cover = np.where(cover < 0.8, 0, cover)
        return (1 - cover) * images + cover * _color(_MUD, images)
    shine = np.stack([_shine(layer) for layer in liquid])[..., None]
    return images + strength * shine * _color(_WATER, images)


def _color(color, images):
    color = color.reshape(1, 1, 1, 3)
    return luminance(color) if images.shape[-1] == 1 else color


def _shine(liquid):
    """Computes the shine of drops, which is brighter at one side.

    Args:
        liquid: Array of shape `(height, width)`, 0 where it is dry.

    Returns:
        Array of the same shape, from 0 to 1.
    """
    wet = liquid > 0
    edges = wet & ~ndimage.binary_erosion(wet, border_value=1)
    if not edges.any():
        return liquid
    depth = np.minimum(ndimage.distance_transform_edt(~edges), 20)
    depth = ndimage.uniform_filter(depth, 3, mode="mirror").astype("uint8")
    relief = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
    relief = ndimage.correlate(_equalized(depth), relief, mode="mirror")
    relief = ndimage.uniform_filter(np.clip(relief, 0, 255), 3, mode="mirror")
    shine = liquid * relief
    return (shine / max(shine.max(), 1e-6)).astype("float32")


def _equalized(levels):
    """Spreads levels evenly over 0 to 255."""
    total = np.bincount(levels.ravel(), minlength=256).cumsum()
    darkest = total[levels.min()]
    spread = 255 * (total - darkest) / max(levels.size - darkest, 1)
    return np.rint(spread)[levels]
