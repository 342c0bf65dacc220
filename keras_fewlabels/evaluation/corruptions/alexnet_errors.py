def alexnet_errors():
    """Returns the errors of AlexNet that the mCE of ImageNet-C is relative to.

    Give them as the `baseline` of `evaluate_corruptions` for a model of the
    1,000 classes of ImageNet. They are means over the five severities.

    Reference:
        - [Hendrycks and Dietterich, 2019](https://arxiv.org/abs/1903.12261)

    Returns:
        Dict of the names of the 15 corruptions to floats in 0 to 1.

    Example:

    >>> errors = keras_fewlabels.evaluation.alexnet_errors()
    >>> len(errors), errors["brightness"]
    (15, 0.564592)
    """
    return {
        "gaussian_noise": 0.886428,
        "shot_noise": 0.894468,
        "impulse_noise": 0.922640,
        "defocus_blur": 0.819880,
        "glass_blur": 0.826268,
        "motion_blur": 0.785948,
        "zoom_blur": 0.798360,
        "snow": 0.866816,
        "frost": 0.826572,
        "fog": 0.819324,
        "brightness": 0.564592,
        "contrast": 0.853204,
        "elastic_transform": 0.646056,
        "pixelate": 0.717840,
        "jpeg_compression": 0.606500,
    }
