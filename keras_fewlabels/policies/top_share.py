"""The most confident part of a set."""

import numpy as np


def top_share(confidence, share):
    """Marks the most confident images.

    Args:
        confidence: Float array of shape `(num_images,)`.
        share: Float in `[0, 1]`, how large a part to mark.

    Returns:
        Boolean array of shape `(num_images,)` with
        `round(share * num_images)` true values; of equal confidences the
        first ones.
    """
    marked = np.zeros(len(confidence), bool)
    surest_first = np.argsort(-confidence, kind="stable")
    marked[surest_first[: round(share * len(confidence))]] = True
    return marked
