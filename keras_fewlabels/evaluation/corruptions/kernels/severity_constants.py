def severity_constants(at_32, at_224, severity, images):
    """Returns the constants of a corruption for images of any size.

    CIFAR-10-C publishes constants for images of 32 pixels, and ImageNet-C for
    224 pixels. Between the two sizes the constants are interpolated by the
    shorter side. Larger images have the constants of 224 pixels.

    Args:
        at_32: Five numbers, or five tuples of numbers, one per severity.
        at_224: The same for images of 224 pixels.
        severity: Integer, 1 to 5.
        images: Array of shape `(batch, height, width, channels)`.

    Returns:
        A float, or a list of floats where there are several constants.

    Example:

    >>> from keras_fewlabels.evaluation.corruptions import kernels
    >>> severity_constants = kernels.severity_constants.severity_constants
    >>> images = np.zeros((1, 128, 200, 3))
    >>> severity_constants((1, 2, 3, 4, 5), (3, 6, 9, 12, 15), 2, images)
    4.0
    """
    share = min(1.0, max(0.0, (min(images.shape[1:3]) - 32) / 192))
    low, high = at_32[severity - 1], at_224[severity - 1]
    if not isinstance(low, tuple):
        return (1 - share) * low + share * high
    return [(1 - share) * a + share * b for a, b in zip(low, high, strict=True)]
