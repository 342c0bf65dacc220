import numpy as np

from keras_fewlabels.data.checks import class_numbers


def calibration(probabilities, labels, num_bins=10):
    """Compares the confidences of a classifier with its accuracy.

    The confidence is the highest probability of an image. Images are sorted
    into bins of equal width by their confidence. In each bin the mean
    confidence of a calibrated classifier is its accuracy.

    Reference:
        - [Guo et al., 2017](https://arxiv.org/abs/1706.04599), who use 15
          bins. Here there are 10, since few images are left in each.

    Args:
        probabilities: Float array of shape `(num_images, num_classes)`, of
            images that the classifier was not trained on.
        labels: Class numbers or one-hot rows of the same images.
        num_bins: Int, the number of bins between 0 and 1.

    Returns:
        Dict for JSON: `expected_calibration_error`, the mean distance of
        confidence and accuracy in the bins, weighted by their images;
        `confidence` and `accuracy`, the means of all images; and `bins`, a
        list of dicts of `low` and `high`, the limits of the bin,
        `num_images`, `num_right`, and `confidence`, the mean in the bin or
        `None` if it is empty. A confidence on a limit counts for the bin
        above it.

    Example:

    >>> from keras_fewlabels.evaluation.calibration import calibration
    >>> sure, unsure = [0.95, 0.05], [0.65, 0.35]
    >>> found = calibration(np.array([sure, sure, unsure]), [0, 1, 0])
    >>> round(found["expected_calibration_error"], 3)
    0.417
    """
    probabilities = np.asarray(probabilities)
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == class_numbers(labels)
    bin_of_image = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    confidence = confidence.astype("float64")
    images, right, sums = (
        np.bincount(bin_of_image, weights=weights, minlength=num_bins)
        for weights in (None, is_right, confidence)
    )
    return {
        # A bin's share of images times its mean distance.
        "expected_calibration_error": float(
            np.abs(sums - right).sum() / len(confidence)
        ),
        "confidence": float(confidence.mean()),
        "accuracy": float(is_right.mean()),
        "bins": [
            {
                "low": number / num_bins,
                "high": (number + 1) / num_bins,
                "num_images": int(images[number]),
                "num_right": int(right[number]),
                "confidence": float(sums[number] / images[number])
                if images[number]
                else None,
            }
            for number in range(num_bins)
        ],
    }
