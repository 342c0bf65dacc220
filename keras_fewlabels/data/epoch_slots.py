"""Which images an epoch of true and pseudo-labels is made of."""

import math

import numpy as np


def epoch_slots(num_labeled, chosen, num_slots, random=None):
    """Fills the places of an epoch with labelled and pseudo-labelled images.

    Every pseudo-labelled image comes once, or as often as it is among the
    chosen; true labels fill the rest, again and again. So few pseudo-labels
    weigh little, and a dataset that is read from disk is read once. Where the
    epoch is too short for all, both are thinned out alike.

    Args:
        num_labeled: Int, the number of labelled images.
        chosen: Int array, the pseudo-labelled images by number; one may come
            more than once.
        num_slots: Int, how many images the epoch has.
        random: Optional `np.random.Generator` that shuffles. By default
            labelled images come first, and each part by number.

    Returns:
        Int array of shape `(num_slots,)`: numbers below `num_labeled` are
        labelled images, `num_labeled + i` is the unlabelled image `i`.
    """
    share = len(chosen) / (num_labeled + len(chosen))
    num_pseudo = min(len(chosen), round(num_slots * share))
    num_true = num_slots - num_pseudo
    passes = [np.arange(num_labeled)] * math.ceil(num_true / num_labeled)
    if random is None:
        chosen = np.sort(chosen)
    else:
        passes = map(random.permutation, passes)
        chosen = random.permutation(chosen)
    true = np.concatenate([*passes, []])[:num_true]
    slots = np.concatenate([true, num_labeled + chosen[:num_pseudo]])
    slots = slots.astype("int64")
    return slots if random is None else random.permutation(slots)
