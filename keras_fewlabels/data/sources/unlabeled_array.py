"""An array of unlabelled images, read in pieces."""

import zlib

from keras_fewlabels.data.checks.images import check_images


class UnlabeledArray:
    """Unlabelled images in memory, or in a memory-mapped file.

    Args:
        images: Array of shape `(num_images, height, width, channels)`.

    Attributes:
        source: The array.
        image_shape: Tuple `(height, width, channels)`.
        dtype: String, the dtype of the images.

    Raises:
        ValueError: If the array is no set of images.
    """

    def __init__(self, images):
        check_images(images, "unlabeled")
        self.source = self.images = images
        self.image_shape = tuple(images.shape[1:])
        self.dtype = images.dtype.name

    def __len__(self):
        return len(self.source)

    def pieces(self, piece_size, batch_size):
        """The images in their order, a piece at a time.

        Args:
            piece_size: Int, images per piece; the last one may be smaller.
            batch_size: Int, images that are read at a time; divides the size
                of a piece.

        Yields:
            Tuples `(first, size, images)`: the number of the first image, how
            many there are, and what a model predicts them from.
        """
        for first in range(0, len(self), piece_size):
            images = self.source[first : first + piece_size]
            yield first, len(images), images

    def sample(self, size):
        """The first images, as an array of shape `(size, ...)`."""
        return self.source[:size]

    def checksum(self):
        """An int that tells other images from these."""
        sample = self.source[:: max(1, len(self) // 64)]
        return zlib.crc32(sample.tobytes())


class UnlabeledFiles(UnlabeledArray):
    """Unlabelled images out of `ImageFiles`, a batch in memory at a time."""

    def pieces(self, piece_size, batch_size):
        for first in range(0, len(self), piece_size):
            images = self.source.batches(batch_size, first, piece_size)
            yield first, min(piece_size, len(self) - first), images
