"""Images of any kind, by their number."""

import hashlib
import os

import keras
import numpy as np

from keras_fewlabels.data.checks.images import check_images
from keras_fewlabels.data.sources.unlabeled_source import (
    is_dataset,
    unlabeled_source,
)


class ImagePool:
    """Images that are read in pieces, or a few of them by number.

    Nothing is held but what is asked for, so that the images may be a
    memory-mapped file, or read from disk when they are indexed.

    Args:
        images: Array of shape `(num_images, height, width, channels)`, or
            what is indexed like one; or a `tf.data.Dataset` or `PyDataset` of
            images that come in the same order in every pass.
        argument: String, how the caller calls the images.
        paths: Optional sequence of a string per image. By default the
            `file_paths` that the images know.

    Attributes:
        images: What was given.
        paths: List of strings, or `None`.

    Raises:
        ValueError: If they are no images, or there is not one path per image.
    """

    def __init__(self, images, argument="unlabeled", paths=None):
        if keras.ops.is_tensor(images):
            images = keras.ops.convert_to_numpy(images)
        self.images = images
        self._is_dataset = is_dataset(images)
        if self._is_dataset or not hasattr(images, "shape"):
            # Refuses a path or a list, too.
            self._length = len(unlabeled_source(images))
        else:
            check_images(images[:1], argument)
            self._length = len(images)
        paths = getattr(images, "file_paths", None) if paths is None else paths
        self.paths = None if paths is None else list(map(os.fspath, paths))
        if self.paths is not None and len(self.paths) != len(self):
            raise ValueError(
                "`paths` must hold one path per image. "
                f"Received: {len(self.paths)} paths for {len(self)} images"
            )

    def __len__(self):
        return self._length

    def pieces(self, size):
        """All images in their order, as arrays of `size` images at most."""
        if self._is_dataset:
            from keras_fewlabels.data.sources.streams import as_stream

            yield from as_stream(self.images, size).as_numpy_iterator()
            return
        for first in range(0, len(self), size):
            yield np.asarray(self.images[first : first + size])

    def take(self, numbers):
        """The images of these numbers, an array in their order.

        Args:
            numbers: Int array of shape `(count,)`, at least one.
        """
        numbers = np.asarray(numbers, "int64")
        if not self._is_dataset:
            return np.asarray(self.images[numbers])
        found, first = {}, 0
        for piece in self.pieces(256):
            inside = (numbers >= first) & (numbers < first + len(piece))
            for number in numbers[inside].tolist():
                found[number] = piece[number - first]
            first += len(piece)
        return np.stack([found[number] for number in numbers.tolist()])


def image_hash(image):
    """A string of 16 digits that another image does not have.

    Args:
        image: Array of shape `(height, width, channels)`.
    """
    image = np.ascontiguousarray(image)
    digest = hashlib.blake2b(f"{image.dtype}{image.shape}".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()[:16]
