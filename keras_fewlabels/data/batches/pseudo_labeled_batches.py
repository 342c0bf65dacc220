"""Full batches of labelled and pseudo-labelled images from arrays."""

import math

import numpy as np

from keras_fewlabels.data.batches.full_batches import FullBatches, first_rows
from keras_fewlabels.data.batches.pseudo_labeled_epoch import (
    EpochByEpoch,
    stale_batches,
)


class PseudoLabeledBatches(EpochByEpoch, FullBatches):
    """Batches `(images, labels)` of true and pseudo-labels, mixed at random.

    Args:
        labeled: Pair of arrays, images and labels, which are class numbers or
            one-hot.
        unlabeled: `ImageSource` of images that can be indexed.
        batch_size: Int, images per batch.
        num_steps: Optional int, batches per epoch. By default as many as one
            pass over all images takes.
        shuffle: Boolean. If `True`, each epoch has its own order.
        seed: Optional int that makes the orders reproducible.
    """

    def __init__(
        self,
        labeled,
        unlabeled,
        batch_size,
        num_steps=None,
        shuffle=True,
        seed=None,
    ):
        self.images, self.labels = labeled
        self.unlabeled = unlabeled.images
        if num_steps is None:
            num_images = len(self.images) + len(unlabeled)
            num_steps = math.ceil(num_images / batch_size)
        super().__init__(num_steps, shuffle, seed)
        self.batch_size = batch_size
        self.fill_epoch(0, np.empty(0, "int64"), None)

    def labeled_rows(self, rows):
        return np.asarray(self.images[rows]), self.labels[rows]

    def fill_epoch(self, epoch, chosen, targets, known=None):
        super().fill_epoch(epoch, chosen, targets, known)
        self._order = None
        self._next = 0

    def content_sample(self):
        return [first_rows(part) for part in (self.images, self.labels)]

    def new_order(self):
        return self._epoch

    def batch(self, index, order):
        if order is not self._epoch:
            raise stale_batches()
        first = index * self.batch_size
        slots = order.slots[first : first + self.batch_size]
        is_true = slots < len(self.images)
        images, labels = (
            np.empty((len(slots), *part.shape[1:]), part.dtype)
            for part in (self.images, self.labels)
        )
        true = slots[is_true]
        images[is_true], labels[is_true] = self.images[true], self.labels[true]
        if not is_true.all():
            pseudo = slots[~is_true] - len(self.images)
            images[~is_true] = self.unlabeled[pseudo]
            labels[~is_true] = order.pseudo_labels(pseudo)
        return images, labels
