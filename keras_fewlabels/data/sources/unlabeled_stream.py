"""A dataset of unlabelled images, read in pieces."""

import itertools
import math
import zlib

import tensorflow as tf

from keras_fewlabels.data.checks.images import check_values
from keras_fewlabels.data.sources.datasets import check_unlabeled_element
from keras_fewlabels.data.sources.streams import (
    as_stream,
    count_images,
    without_autotuning,
)

# Where the checksum of the first images is kept among those of single ones.
_SAMPLE = (0, 0)


class UnlabeledStream:
    """Unlabelled images that are read anew for each pass, always in one order.

    An image is known by its place in the dataset, so that order may not
    change. Every pass compares the first image of each batch with what the
    first pass found there.

    Args:
        dataset: `tf.data.Dataset` or `PyDataset` of images, batched or not.

    Attributes:
        source: The dataset.
        image_shape: Tuple `(height, width, channels)`.
        dtype: String, the dtype of the images.
        file_paths: List of the files that the images come from, if the
            dataset knows it, otherwise `None`.

    Raises:
        ValueError: If the dataset is infinite or empty, gives more than
            images, or gives them in another order each time.
    """

    def __init__(self, dataset):
        stream = as_stream(dataset)
        element = stream.element_spec
        check_unlabeled_element(element, "unlabeled")
        self.source = self.images = dataset
        self.image_shape = tuple(element.shape)
        self.dtype = element.dtype.name
        self.file_paths = getattr(dataset, "file_paths", None)
        self._length = len(self.file_paths or ()) or count_images(
            stream, "unlabeled"
        )
        self._checksums = {}
        for _ in range(2):
            sample = self.sample(64)
            check_values(sample, "unlabeled")
            self._compare(_SAMPLE, sample)

    def __len__(self):
        return self._length

    def pieces(self, piece_size, batch_size):
        """The images in their order, a piece at a time.

        Args:
            piece_size: Int, images per piece; the last one may be smaller.
            batch_size: Int, images that are read at a time; divides the size
                of a piece.

        Yields:
            Tuples `(first, size, images)`: the number of the first image, how
            many there are, and a `tf.data.Dataset` that can be read once,
            before the next piece.

        Raises:
            ValueError: If the images are not those of the pass before.
        """
        batches = as_stream(self.source, batch_size).prefetch(tf.data.AUTOTUNE)
        batches = without_autotuning(batches).as_numpy_iterator()
        for first in range(0, len(self), piece_size):
            size = min(piece_size, len(self) - first)
            piece = self._checked(
                itertools.islice(batches, math.ceil(size / batch_size)),
                first,
                batch_size,
            )
            yield first, size, self._as_dataset(piece, size, batch_size)
            for _ in piece:  # What nobody asked for has to be passed over.
                pass

    def sample(self, size):
        """The first images, as an array of shape `(size, ...)`."""
        return next(as_stream(self.source, size).as_numpy_iterator())

    def checksum(self):
        """An int that tells other images from these."""
        return self._checksums[_SAMPLE]

    def _checked(self, batches, first, batch_size):
        for number, images in enumerate(batches):
            place = first + number * batch_size
            self._compare((place, batch_size), images[:1])
            yield images

    def _compare(self, place, images):
        found = zlib.crc32(images.tobytes())
        if self._checksums.setdefault(place, found) != found:
            raise ValueError(
                "The unlabelled images must come in the same order in every "
                "pass, because pseudo-labels belong to places in it. Read "
                "them with `shuffle=False` and without random layers; "
                "`mixed_with` shuffles. Received: another image at place "
                f"{place[0]} than in the pass before"
            )

    def _as_dataset(self, piece, size, batch_size):
        signature = tf.TensorSpec((None, *self.image_shape), self.dtype)
        dataset = tf.data.Dataset.from_generator(
            lambda: piece, output_signature=signature
        )
        num_batches = math.ceil(size / batch_size)
        cardinality = tf.data.experimental.assert_cardinality(num_batches)
        return without_autotuning(dataset.apply(cardinality))
