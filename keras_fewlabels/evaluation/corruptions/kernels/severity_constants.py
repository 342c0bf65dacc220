import numpy as np

# Shorter sides of the images that the benchmark publishes constants for.
_SIDES = (32, 64, 224)


def severity_constants(at_32, at_64, at_224, severity, images):
    """Returns the constants of a corruption for images of any size.

    The benchmark publishes constants for images of 32 pixels (CIFAR-10-C), of
    64 pixels (ImageNet-64x64-C and Tiny-ImageNet-C) and of 224 pixels
    (ImageNet-C). Between these sizes the constants are interpolated by the
    shorter side. Larger images have the constants of 224 pixels.

    Args:
        at_32: Five numbers, or five tuples of numbers, one per severity.
        at_64: The same for images of 64 pixels.
        at_224: The same for images of 224 pixels.
        severity: Integer, 1 to 5.
        images: Array of shape `(batch, height, width, channels)`.

    Returns:
        A float, or a list of floats where there are several constants.

    Example:

    >>> from keras_fewlabels.evaluation.corruptions import kernels
    >>> severity_constants = kernels.severity_constants.severity_constants
    >>> images = np.zeros((1, 144, 200, 3))
    >>> at_32, at_64, at_224 = (1, 2, 3, 4, 5), (2, 4, 6, 8, 9), (3, 6, 9, 9, 9)
    >>> severity_constants(at_32, at_64, at_224, 2, images)
    5.0
    """
    side = min(images.shape[1:3])
    known = [each[severity - 1] for each in (at_32, at_64, at_224)]
    if isinstance(known[0], tuple):
        return [_at(side, values) for values in zip(*known, strict=True)]
    return _at(side, known)


def _at(side, values):
    return float(np.interp(side, _SIDES, values))
