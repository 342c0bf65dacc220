"""Full batches of labelled and unlabelled images from arrays."""

import math

import numpy as np

from keras_fewlabels.data.batches.full_batches import FullBatches, first_rows


class MixedBatches(FullBatches):
    """Batches of labelled images with their labels, and unlabelled images.

    An epoch is one pass over the part that needs more batches. The other part
    repeats, in a new order each time it starts again.

    Args:
        labeled: Tuple of arrays `(images, labels)` or `(images, labels,
            sample_weight)`.
        unlabeled: Array of unlabelled images.
        batch_size: Int, labelled images per batch.
        unlabeled_batch_size: Int, unlabelled images per batch.
        shuffle: Boolean. If `True`, each pass has its own order.
        seed: Optional int that makes the orders reproducible.
        truth: Optional int array, the true classes of the unlabelled images.
        num_steps: Optional int, batches per epoch. By default one pass over
            the part that needs more batches.
    """

    def __init__(
        self,
        labeled,
        unlabeled,
        batch_size,
        unlabeled_batch_size,
        shuffle=True,
        seed=None,
        truth=None,
        num_steps=None,
    ):
        if num_steps is None:
            num_steps = max(
                math.ceil(len(labeled[0]) / batch_size),
                math.ceil(len(unlabeled) / unlabeled_batch_size),
            )
        super().__init__(num_steps, shuffle, seed)
        self.labeled = labeled
        self.unlabeled = unlabeled
        self.batch_size = batch_size
        self.unlabeled_batch_size = unlabeled_batch_size
        self.truth = truth

    def content_sample(self):
        return [first_rows(part) for part in (*self.labeled, self.unlabeled)]

    def new_order(self):
        return (
            self.passes(len(self.labeled[0]), self.batch_size),
            self.passes(len(self.unlabeled), self.unlabeled_batch_size),
        )

    def batch(self, index, order):
        labeled, unlabeled = (indices[index] for indices in order)
        images, *labels = (part[labeled] for part in self.labeled)
        inputs = {
            "labeled": images,
            "unlabeled": self.unlabeled[unlabeled],
            "index": unlabeled.astype("int32"),
        }
        if self.truth is not None:
            inputs["truth"] = self.truth[unlabeled]
        return inputs, *labels


class LabeledBatches(FullBatches):
    """Batches `(images, labels)`, in epochs of any number of batches.

    One pass over a few labelled images has two or three batches, too few for
    a validation after each of them. Here an epoch has as many passes as its
    number of batches needs.

    Args:
        images: Array of images.
        labels: Array of labels, one per image.
        batch_size: Int, images per batch.
        num_steps: Int, batches per epoch.
        seed: Optional int that makes the orders reproducible.
    """

    def __init__(self, images, labels, batch_size, num_steps, seed=None):
        super().__init__(num_steps, shuffle=True, seed=seed)
        self.images = images
        self.labels = labels
        self.batch_size = batch_size

    def content_sample(self):
        return [first_rows(part) for part in (self.images, self.labels)]

    def new_order(self):
        return self.passes(len(self.images), self.batch_size)

    def batch(self, index, order):
        chosen = order[index]
        return self.images[chosen], self.labels[chosen]


class JoinedBatches(FullBatches):
    """Batches `(images, labels)` of several parts in fixed numbers.

    Args:
        parts: List of tuples of images, labels and an int, how many of them
            each batch has. Each part repeats by itself.
        num_steps: Int, batches per epoch.
        seed: Optional int that makes the orders reproducible.
    """

    def __init__(self, parts, num_steps, seed=None):
        super().__init__(num_steps, shuffle=True, seed=seed)
        self.parts = parts

    def content_sample(self):
        return [first_rows(rows) for part in self.parts for rows in part[:2]]

    def new_order(self):
        return [
            self.passes(len(images), count) for images, _, count in self.parts
        ]

    def batch(self, index, order):
        chosen = [
            (images[numbers[index]], labels[numbers[index]])
            for (images, labels, _), numbers in zip(
                self.parts, order, strict=True
            )
        ]
        return tuple(map(np.concatenate, zip(*chosen, strict=True)))
