"""Unlabelled images on disk, read in pieces."""

from keras_fewlabels.data.unlabeled_array import UnlabeledArray


class UnlabeledFiles(UnlabeledArray):
    """Unlabelled images out of `ImageFiles`, a batch in memory at a time."""

    def pieces(self, piece_size, batch_size):
        for first in range(0, len(self), piece_size):
            images = self.source.batches(batch_size, first, piece_size)
            yield first, min(piece_size, len(self) - first), images
