"""The images and labels of one epoch of true and pseudo-labels."""

import numpy as np

from keras_fewlabels.data.batches.unknown_labels import mark_unknown


class PseudoLabeledEpoch:
    """The images of an epoch, their order and their pseudo-labels.

    An epoch depends on nothing but its arguments, so that a fit that resumes
    after a crash repeats the same epoch.

    Args:
        epoch: Int, the number of the epoch, from 0.
        chosen: Int array, the indices of the unlabelled images to train on.
            An index may come more than once.
        targets: Array with a row per unlabelled image: class numbers, or soft
            targets `(num_unlabeled, num_classes)`; or several labels.
        true_labels: Array of the labels of the labelled images, class numbers
            or one-hot. Pseudo-labels take the same form and dtype.
        num_slots: Int, the number of images of the epoch.
        seed: Int that fixes the order, or `None` for no shuffling.
        known: Optional boolean array `(num_unlabeled, num_labels)`, which of
            several labels are known. The others are marked.
    """

    def __init__(
        self,
        epoch,
        chosen,
        targets,
        true_labels,
        num_slots,
        seed,
        known=None,
    ):
        self.targets = targets
        self.known = known
        self.true_labels = true_labels
        # Each epoch has its own seed, so its order needs no history.
        self.seed = None if seed is None else (seed, epoch)
        self.slots = epoch_slots(
            len(true_labels),
            chosen,
            num_slots,
            None if seed is None else np.random.default_rng(self.seed),
        )

    def pseudo_labels(self, indices):
        """Returns pseudo-labels in the form of the true labels.

        Args:
            indices: Int array of shape `(batch,)` of unlabelled images.

        Returns:
            Array of shape `(batch, ...)`.
        """
        targets = self.targets[indices]
        like = self.true_labels
        if self.known is not None:
            targets = mark_unknown(targets, self.known[indices])
        elif targets.ndim == 2:
            # The sum of stored float16 targets is off by up to 1e-3.
            targets = targets.astype("float32")
            targets /= targets.sum(axis=1, keepdims=True)
            if like[0].size == 1:
                # One sigmoid unit learns the probability of its class.
                targets = targets[:, 1]
        elif like.ndim == 2 and like.shape[1] > 1:
            targets = np.arange(like.shape[1]) == targets[:, None]
        return targets.astype(like.dtype).reshape(-1, *like.shape[1:])


class EpochByEpoch:
    """A feed of true and pseudo-labels that is filled anew for each epoch.

    A subclass has the attributes `labels` (the true ones), `batch_size`,
    `num_steps`, `shuffle` and `seed`, and the method `labeled_rows(rows)`.
    """

    def labeled_sample(self, count):
        """Returns labelled images, spread evenly over all, and their labels.

        Args:
            count: Int, the number of images at most.

        Returns:
            Array of images in their order, and array of their labels.
        """
        num_images = len(self.labels)
        rows = np.linspace(0, num_images - 1, min(num_images, count))
        return self.labeled_rows(rows.astype("int64"))

    def fill_epoch(self, epoch, chosen, targets, known=None):
        """Sets the images and pseudo-labels of the epoch that begins.

        Args:
            epoch: Int, the number of the epoch, from 0.
            chosen: Int array, the indices of the unlabelled images to train
                on.
            targets: Array of pseudo-labels, as for `PseudoLabeledEpoch`.
            known: Optional boolean array likewise.
        """
        self._epoch = PseudoLabeledEpoch(
            epoch,
            chosen,
            targets,
            self.labels,
            self.num_steps * self.batch_size,
            self.seed if self.shuffle else None,
            known,
        )


def stale_batches():
    """Returns the error of a fit that reads batches of a past epoch."""
    return ValueError(
        "The fit still reads batches of the epoch before, with labels that "
        "are out of date. Fit on what `mixed_with` returns as it is, without "
        "`.repeat()` or `.cache()`; for shorter epochs use "
        "`mixed_with(..., steps_per_epoch=...)`"
    )


def epoch_slots(num_labeled, chosen, num_slots, random=None):
    """Draws the labelled and pseudo-labelled images of an epoch.

    Every pseudo-labelled image comes as often as it is among the chosen. The
    labelled images fill the other slots and repeat. So a few pseudo-labels
    have little weight, and images on disk are read once per epoch. If the
    epoch is too short for all, both parts are reduced alike.

    Args:
        num_labeled: Int, the number of labelled images.
        chosen: Int array, the indices of the pseudo-labelled images. An index
            may come more than once.
        num_slots: Int, the number of images of the epoch.
        random: Optional `np.random.Generator` that shuffles. By default
            labelled images come first, and each part is sorted.

    Returns:
        Int32 array of shape `(num_slots,)`. Numbers below `num_labeled` are
        labelled images, and `num_labeled + i` is the unlabelled image `i`.
    """
    share = len(chosen) / (num_labeled + len(chosen))
    num_pseudo = min(len(chosen), round(num_slots * share))
    num_true = num_slots - num_pseudo
    # Four bytes per image of an epoch, and no copies.
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
