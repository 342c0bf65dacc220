"""Images of a dataset, read anew in each pass."""

import itertools
import math
import zlib

import keras
import numpy as np

from keras_fewlabels.data.checks import check_finite, check_images
from keras_fewlabels.data.sources.datasets import (
    check_ends,
    check_unlabeled_element,
    read_elements,
)
from keras_fewlabels.data.sources.image_source import ImageSource
from keras_fewlabels.foundation import fingerprint

# Images that are read, and compared with those of the pass before, at a time.
_CHUNK = 64


class ImageStream(ImageSource):
    """Images of a `tf.data.Dataset` or `PyDataset`, always in one order.

    An image is known by its place in the dataset, so the order must not
    change. Every pass compares the images with those of the pass before, 64
    at a time, by their checksum. The first 64 are read twice at once.
    """

    def __init__(self, images, argument="unlabeled", paths=None):
        super().__init__(images, argument, paths)
        check_ends(images, argument)
        if hasattr(images, "element_spec"):
            check_unlabeled_element(images.element_spec, argument)
        # By the number of the chunk.
        self._checksums = {}
        self._length = None
        self._position, self._chunks_ahead, self._rest = 0, None, None
        for _ in range(2):
            sample = next(self._chunks())
            check_images(sample, argument)
        if self._may_differ_in_size():
            self.check_order(num_passes=1)
        self.shape = tuple(sample.shape[1:])
        self.dtype = sample.dtype

    def __len__(self):
        """Returns the number of images, for which they may have to be read."""
        if self._length is None:
            length = self._known_length()
            if length is None:
                length = sum(map(len, self._chunks()))
            self._check_paths(length)
            self._length = length
        return self._length

    def read(self, start, count):
        if self._chunks_ahead is None or start < self._position:
            self._position = 0
            self._chunks_ahead = self._chunks()
            self._rest = np.empty((0, *self.shape), self.dtype)
        self._ahead(start - self._position, keep=False)
        images = self._ahead(count, keep=True)
        if self._position == self._length:
            # Ends the pass, which sees further images and frees the iterator.
            for _ in self._chunks_ahead:
                pass
            self._chunks_ahead = None
        return images

    def first(self, count):
        num_chunks = max(1, math.ceil(count / _CHUNK))
        chunks = itertools.islice(self._chunks(), num_chunks)
        return np.concatenate(list(chunks))[:count]

    def take(self, indices):
        indices = np.asarray(indices, "int64")
        images = np.empty((len(indices), *self.shape), self.dtype)
        start, last = 0, indices.max()
        for chunk in self._chunks():
            inside = (indices >= start) & (indices < start + len(chunk))
            images[inside] = chunk[indices[inside] - start]
            start += len(chunk)
            if last < start:
                return images
        raise IndexError(
            f"`{self.argument}` must hold the images that are asked for. "
            f"Received: number {last} of {start} images"
        )

    def draw(self, count, seed=0):
        return np.arange(min(count, len(self)))

    def checksum(self):
        files = self._files()
        if files is None and len(self._checksums) * _CHUNK < len(self):
            self.check_order(num_passes=1)
        # The order of the passes does not matter.
        checksums = sorted(self._checksums.items())[: 1 if files else None]
        return fingerprint(
            len(self), self.shape, str(self.dtype), files, checksums
        )

    def _ahead(self, count, keep):
        """Moves on by `count` images, and returns them if `keep`."""
        kept = []
        while count > 0:
            if not len(self._rest):
                self._rest = next(self._chunks_ahead, None)
                if self._rest is None:
                    self._rest = np.empty((0, *self.shape), self.dtype)
                    break
            part, self._rest = self._rest[:count], self._rest[count:]
            if keep:
                kept.append(part)
            count -= len(part)
            self._position += len(part)
        if len(kept) == 1:
            return kept[0]
        return np.concatenate([self._rest[:0], *kept])

    def _chunks(self):
        """Yields all images 64 at a time, and checks their order."""
        total = 0
        for number, chunk in enumerate(_rebatched(self._batches(), _CHUNK)):
            self._compare(number, chunk)
            check_finite(chunk, self.argument, number * _CHUNK)
            yield chunk
            total += len(chunk)
        if not total:
            raise ValueError(
                f"`{self.argument}` must hold at least one image. Received: a "
                "dataset without elements"
            )
        if self._length not in (None, total):
            raise ValueError(
                f"`{self.argument}` must hold the same images in every pass. "
                f"Received: {total} images where {self._length} were expected"
            )

    def _batches(self):
        images = self.images
        if not isinstance(images, keras.utils.PyDataset):
            import tensorflow as tf

            from keras_fewlabels.data.sources.streams import (
                as_stream,
                without_autotuning,
            )

            images = as_stream(images, _CHUNK).prefetch(tf.data.AUTOTUNE)
            images = without_autotuning(images)
        for batch in read_elements(images, self.argument):
            check_unlabeled_element(batch, self.argument)
            check_images(batch[:1], self.argument)
            yield batch

    def _compare(self, number, chunk):
        checksum = zlib.crc32(np.ascontiguousarray(chunk))
        if self._checksums.setdefault(number, checksum) != checksum:
            raise ValueError(
                f"`{self.argument}` must come in the same order in every pass, "
                "because its images are known by their place. Read them with "
                "`shuffle=False`, which is not the default of "
                "`keras.utils.image_dataset_from_directory`, and without "
                "random layers; the training shuffles them by itself. "
                "Received: other images from place "
                f"{number * _CHUNK} on than in the pass before"
            )

    def check_order(self, num_passes=2):
        """Reads all images, and compares them with those of other passes.

        Args:
            num_passes: Int, the number of times to read.

        Raises:
            ValueError: If their order, number or size differs.
        """
        for _ in range(num_passes):
            for _ in self._chunks():
                pass

    def _may_differ_in_size(self):
        spec = getattr(self.images, "element_spec", None)
        return spec is not None and None in spec.shape[-3:]

    def _known_length(self):
        """Returns the number of images, or `None` if they must be counted."""
        if hasattr(self.images, "file_paths"):
            return len(self.images.file_paths)
        if isinstance(self.images, keras.utils.PyDataset):
            return None
        is_batched = len(self.images.element_spec.shape) == 4
        cardinality = int(self.images.cardinality())
        # -2 is `tf.data.UNKNOWN_CARDINALITY`.
        return None if is_batched or cardinality < 0 else cardinality


def _rebatched(batches, size):
    """Yields the rows of batches in arrays of `size`, the last one smaller."""
    rest = []
    for batch in batches:
        rest.append(batch)
        if sum(map(len, rest)) < size:
            continue
        rows = rest[0] if len(rest) == 1 else np.concatenate(rest)
        full = len(rows) // size * size
        for start in range(0, full, size):
            yield rows[start : start + size]
        rest = [rows[full:]] if full < len(rows) else []
    if rest:
        yield np.concatenate(rest)
