"""How well the scores of labels rank images, of which several may be true."""

import numpy as np


def mean_average_precision(scores, truth):
    """Returns how well the scores of labels rank the images that have them.

    The average precision of a label is the mean, over the images that have
    it, of the share of such images among those with at least their score. It
    needs no threshold. The mean is over the labels that some image has.

    Args:
        scores: Float array of shape `(num_images, num_labels)`.
        truth: Array of 0 and 1 of the same shape.

    Returns:
        Float in (0, 1], or `None` if no image has a label.

    Example:

    >>> from keras_fewlabels.evaluation.mean_average_precision import (
    ...     mean_average_precision,
    ... )
    >>> scores = np.array([[0.9, 0.1], [0.5, 0.2], [0.3, 0.8]])
    >>> round(mean_average_precision(scores, [[1, 0], [0, 0], [1, 1]]), 4)
    0.9167
    """
    (found,) = average_precisions(scores, truth, np.ones((1, len(scores))))
    known = found[~np.isnan(found)]
    return float(known.mean()) if len(known) else None


def average_precisions(scores, truth, weights):
    """Returns the average precisions of labels in draws of images.

    Args:
        scores: Float array of shape `(num_images, num_labels)`.
        truth: Array of 0 and 1 of the same shape.
        weights: Array of shape `(num_draws, num_images)`, how often an image
            is in a draw.

    Returns:
        Float array of shape `(num_draws, num_labels)`, NaN where no image of
        a draw has the label.
    """
    truth = np.asarray(truth, bool)
    found = np.full((len(weights), truth.shape[1]), np.nan)
    for number, column in enumerate(np.transpose(scores)):
        order = np.argsort(-column, kind="stable")
        falling, drawn = -column[order], weights[:, order]
        places = np.flatnonzero(truth[order, number])
        # The last image with the same score.
        last = np.searchsorted(falling, falling[places], side="right") - 1
        right = np.cumsum(drawn * truth[order, number], axis=1)
        among = np.cumsum(drawn, axis=1)[:, last]
        precisions = right[:, last] / np.maximum(among, 1)
        totals = drawn[:, places].sum(axis=1)
        sums = (drawn[:, places] * precisions).sum(axis=1)
        np.divide(sums, totals, out=found[:, number], where=totals > 0)
    return found
