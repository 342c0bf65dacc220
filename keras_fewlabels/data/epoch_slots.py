"""Which images an epoch of true and pseudo-labels is made of."""

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
        Int32 array of shape `(num_slots,)`: numbers below `num_labeled` are
        labelled images, `num_labeled + i` is the unlabelled image `i`.
    """
    share = len(chosen) / (num_labeled + len(chosen))
    num_pseudo = min(len(chosen), round(num_slots * share))
    num_true = num_slots - num_pseudo
    # A place per image and epoch: four bytes, and no copies.
    slots = np.empty(num_slots, "int32")
    true, pseudo = slots[:num_true], slots[num_true:]
    if random is None:
        true[:] = np.arange(num_true) % num_labeled
        pseudo[:] = np.sort(chosen)[:num_pseudo]
    else:
        for start in range(0, num_true, num_labeled):
            order = random.permutation(num_labeled)
            true[start : start + num_labeled] = order[: num_true - start]
        pseudo[:] = random.permutation(chosen)[:num_pseudo]
    pseudo += num_labeled
    if random is not None:
        random.shuffle(slots)
    return slots
