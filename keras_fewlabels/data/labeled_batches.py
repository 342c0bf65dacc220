"""Full batches of labelled images out of arrays."""

from keras_fewlabels.data.full_batches import FullBatches


class LabeledBatches(FullBatches):
    """Batches `(images, labels)`, in epochs of any number of batches.

    A few labelled images make an epoch of two or three steps, too short to be
    watched or validated after; here an epoch is as many passes as it takes.

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

    def new_order(self):
        return self.passes(len(self.images), self.batch_size)

    def batch(self, index, order):
        chosen = order[index]
        return self.images[chosen], self.labels[chosen]
