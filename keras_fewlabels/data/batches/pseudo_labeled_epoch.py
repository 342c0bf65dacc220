"""What one epoch of true and pseudo-labels holds."""

import numpy as np


class PseudoLabeledEpoch:
    """The images of an epoch, their order and their pseudo-labels.

    It depends on nothing but its arguments: an epoch that starts again after
    a crash is the same epoch.

    Args:
        epoch: Int, the number of the epoch, from 0.
        chosen: Int array, the unlabelled images to train on; one may come
            more than once.
        targets: Array with a row per unlabelled image: class numbers, or soft
            targets `(num_unlabeled, num_classes)`.
        true_labels: Array of the labels of the labelled images, class numbers
            or one-hot. Pseudo-labels take the same form and dtype.
        num_slots: Int, how many images the epoch has.
        seed: Int that fixes the order, or `None` for no shuffling.
    """

    def __init__(self, epoch, chosen, targets, true_labels, num_slots, seed):
        self.targets = targets
        self.true_labels = true_labels
        # Its own seed for each epoch: an order needs no history.
        self.seed = None if seed is None else (seed, epoch)
        self.slots = epoch_slots(
            len(true_labels),
            chosen,
            num_slots,
            None if seed is None else np.random.default_rng(self.seed),
        )

    def pseudo_labels(self, images):
        """The pseudo-labels of unlabelled images, in the form of true ones.

        Args:
            images: Int array of shape `(batch,)`, which images.

        Returns:
            Array of shape `(batch, ...)`.
        """
        targets = self.targets[images]
        like = self.true_labels
        if targets.ndim == 2:
            # Stored in half precision: their sum is off by up to 1e-3.
            targets = targets.astype("float32")
            targets /= targets.sum(axis=1, keepdims=True)
        elif like.ndim == 2 and like.shape[1] > 1:
            targets = np.arange(like.shape[1]) == targets[:, None]
        return targets.astype(like.dtype).reshape(-1, *like.shape[1:])


class EpochByEpoch:
    """A feed of true and pseudo-labels, told anew what each epoch holds.

    Whoever inherits has `labels` (the true ones), `batch_size`, `num_steps`,
    `shuffle` and `seed`.
    """

    def fill_epoch(self, epoch, chosen, targets):
        """Says what the epoch that begins trains on.

        Args:
            epoch: Int, its number, from 0.
            chosen: Int array, the unlabelled images to train on.
            targets: Array of what they are labelled with, as for
                `PseudoLabeledEpoch`.
        """
        self._epoch = PseudoLabeledEpoch(
            epoch,
            chosen,
            targets,
            self.labels,
            self.num_steps * self.batch_size,
            self.seed if self.shuffle else None,
        )


def stale_batches():
    """The error of a fit that asks for batches of an epoch that is over."""
    return ValueError(
        "The fit still reads batches of the epoch before, with labels that "
        "are out of date. Fit on what `mixed_with` returns as it is, without "
        "`.repeat()` or `.cache()`; for shorter epochs use "
        "`mixed_with(..., steps_per_epoch=...)`"
    )


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
