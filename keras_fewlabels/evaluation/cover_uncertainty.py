import numpy as np

# How many images are to be covered, and similarities held, at most.
_MOST_COVERED = 2**14
_MOST_SIMILARITIES = 2**25


def cover_uncertainty(directions, weights, known, count):
    """Chooses images that together stand for most of what is uncertain.

    An image that is labelled covers each other one by the cosine to it. Each
    choice is the one that adds most to the sum, over all images, of their
    weight times how far they are covered, beside the labelled images and
    those chosen before. So the chosen ones lie where much is uncertain, stand
    for many, and differ from each other.

    Reference:
        - [Wei et al., 2015](https://proceedings.mlr.press/v37/wei15.html),
          facility location for active learning; here weighted by uncertainty.

    Args:
        directions: Float array of shape `(num_images, num_features)`, rows of
            length 1.
        weights: Float array of shape `(num_images,)`, how uncertain each
            image is, 0 or more.
        known: Float array of shape `(num_labeled, num_features)`, the
            directions of labelled images.
        count: Int, at most `num_images`.

    Returns:
        `(indices, gains, distances)`, arrays of shape `(count,)`, in the order
        of choice: the share of all weight that each covers, and 1 minus its
        cosine to the nearest image that is labelled or chosen before. Of more
        than 16,384 images, the most uncertain are covered.
    """
    order = np.argsort(-weights, kind="stable")
    covered = order[:_MOST_COVERED]
    num_candidates = max(count, _MOST_SIMILARITIES // len(covered))
    candidates = order[:num_candidates]
    similarity = directions[covered] @ directions[candidates].T
    np.maximum(similarity, 0, out=similarity)
    reach = _nearest(directions[covered], known)
    nearest = _nearest(directions[candidates], known)
    shares = weights[covered] / max(weights[covered].sum(), 1e-12)
    chosen, gains, distances = [], [], []
    for _ in range(count):
        gain = np.maximum(similarity - reach[:, None], 0)
        gain = np.einsum("i,ij->j", shares, gain)
        gain[chosen] = -1
        best = int(gain.argmax())
        chosen.append(best)
        gains.append(gain[best])
        distances.append(1 - nearest[best])
        reach = np.maximum(reach, similarity[:, best])
        cosines = directions[candidates] @ directions[candidates[best]]
        nearest = np.maximum(nearest, cosines)
    return candidates[chosen], np.array(gains), np.array(distances)


def _nearest(directions, known):
    """The largest cosine to a labelled image, 0 without any above."""
    if not len(known):
        return np.zeros(len(directions), "float32")
    return np.maximum((directions @ known.T).max(axis=1), 0)
