import numpy as np

# The number of images that are to be covered, and of similarities in memory.
_MAX_COVERED = 2**14
_MAX_SIMILARITIES = 2**25
# The number of images, evenly spread, by which the density is estimated.
_MAX_SAMPLED = 2**11


def cover_uncertainty(
    directions,
    weights,
    labeled,
    count,
    groups=None,
    most_per_group=None,
    evens_out=True,
):
    """Chooses images that together cover most of the uncertainty.

    A labelled or chosen image covers each other image by their cosine. Each
    choice is the image that adds most to the sum, over all images, of weight
    times coverage. So the chosen images are near many uncertain ones, and
    differ from the labelled images and from each other.

    By default a heap of many similar images counts no more than a few images
    elsewhere: each weight is divided by the density around its image, the sum
    of the fourth powers of the cosines to all others. And no group of images
    gets more than a number of choices, as long as there are other groups.

    Reference:
        - [Wei et al., 2015](https://proceedings.mlr.press/v37/wei15.html),
          facility location for active learning. Here weighted by uncertainty.

    Args:
        directions: Float array of shape `(num_images, num_features)`, rows of
            length 1.
        weights: Float array of shape `(num_images,)`, the uncertainty of each
            image, 0 or more.
        labeled: Float array of shape `(num_labeled, num_features)`, the
            directions of labelled images.
        count: Int, at most `num_images`.
        groups: Optional int array of shape `(num_images,)`, the group of each
            image, from 0.
        most_per_group: Int, the limit of choices per group.
        evens_out: Boolean, whether weights are divided by the density.

    Returns:
        `(indices, gains, distances)`, arrays of shape `(count,)`, in the order
        of choice: the share of all weight that each covers, and 1 minus its
        cosine to the nearest image that is labelled or chosen before. Of more
        than 16,384 images, only the most uncertain are to be covered.
    """
    if evens_out:
        # By their number, the images of a heap would count as often as they
        # are.
        weights = weights / _density(directions)
    order = np.argsort(-weights, kind="stable")
    covered = order[:_MAX_COVERED]
    num_candidates = max(count, _MAX_SIMILARITIES // len(covered))
    candidates = order[:num_candidates]
    similarity = directions[covered] @ directions[candidates].T
    np.maximum(similarity, 0, out=similarity)
    reach = _nearest(directions[covered], labeled)
    nearest = _nearest(directions[candidates], labeled)
    shares = weights[covered] / max(weights[covered].sum(), 1e-12)
    if groups is None:
        groups, most_per_group = np.zeros(len(directions), int), count
    groups = groups[candidates]
    room = np.full(groups.max() + 1, most_per_group)
    chosen, gains, distances = [], [], []
    for _ in range(count):
        gain = np.maximum(similarity - reach[:, None], 0)
        gain = np.einsum("i,ij->j", shares, gain)
        rank = np.where(room[groups] > 0, gain, gain - 2)
        rank[chosen] = -np.inf
        best = int(rank.argmax())
        room[groups[best]] -= 1
        chosen.append(best)
        gains.append(gain[best])
        distances.append(1 - nearest[best])
        reach = np.maximum(reach, similarity[:, best])
        cosines = directions[candidates] @ directions[candidates[best]]
        nearest = np.maximum(nearest, cosines)
    return candidates[chosen], np.array(gains), np.array(distances)


def _density(directions):
    """Returns about how many images are where each is, 1 or more.

    Of many images some are sampled. Each of these stands for others, but is
    itself there only once.
    """
    step = -(-len(directions) // _MAX_SAMPLED)
    sample = directions[::step].T
    rows = max(1, _MAX_SIMILARITIES // sample.shape[1])
    sums = [
        (np.maximum(directions[start : start + rows] @ sample, 0) ** 4).sum(1)
        for start in range(0, len(directions), rows)
    ]
    sums = step * np.concatenate(sums)
    sums[::step] -= step - 1
    return np.maximum(sums, 1)


def _nearest(directions, labeled):
    """Returns the largest cosine to a labelled image, at least 0."""
    if not len(labeled):
        return np.zeros(len(directions), "float32")
    return np.maximum((directions @ labeled.T).max(axis=1), 0)
