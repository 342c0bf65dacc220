"""Images of any kind, read in order through one interface."""

import abc
import math
import os
import zlib

import keras
import numpy as np

from keras_fewlabels.data.checks import check_images, is_array_like
from keras_fewlabels.data.sources.datasets import is_dataset
from keras_fewlabels.data.sources.read_ahead import ReadAhead
from keras_fewlabels.foundation import fingerprint

# Bytes that are read at a time for a checksum.
_BLOCK = 2**26
# Bytes of the images that are predicted at a time.
_MOST_BYTES = 2**25


def image_source(images, argument="unlabeled", paths=None):
    """Returns an `ImageSource` of images of any kind.

    Args:
        images: Array or tensor of shape
            `(num_images, height, width, channels)`, also memory-mapped, or an
            object that is indexed like one, such as `ImageFiles`; or a
            `tf.data.Dataset` or `keras.utils.PyDataset` of images, batched or
            (tf.data) not, in the same order in every pass.
        argument: String, the name of the argument in errors.
        paths: Optional sequence with a path per image. By default the
            `file_paths` of `images`, if it has them.

    Returns:
        An `ImageSource`.

    Raises:
        ValueError: If `images` is a path or a list, comes with labels, holds
            no image or values that are not finite, has no end, or starts with
            other images in a second pass; or if there is not one path per
            image.

    Example:

    >>> source = image_source(np.zeros((5, 8, 8, 1), "uint8"))
    >>> len(source), source.shape
    (5, (8, 8, 1))
    >>> [len(piece) for piece in source.pieces(2)]
    [2, 2, 1]
    """
    if isinstance(images, str | os.PathLike):
        raise ValueError(
            f"`{argument}` must be images, not where they are. Read folders "
            "with `keras_fewlabels.data.load_image_folders(labeled, "
            f"unlabeled)`. Received: {argument}={images!r}"
        )
    if isinstance(images, tuple | list | dict):
        raise ValueError(
            f"`{argument}` must be images alone: one array, a "
            "`tf.data.Dataset` or a `keras.utils.PyDataset`. If the labels "
            "are known, pass them as `truth`. "
            f"Received: {argument} of type {type(images).__name__}"
        )
    if is_dataset(images):
        # The stream derives from `ImageSource`.
        from keras_fewlabels.data.sources.image_stream import ImageStream

        return ImageStream(images, argument, paths)
    return ImageArray(images, argument, paths)


class ImageSource(abc.ABC):
    """Images in a fixed order, of which only a part is in memory at a time.

    Args:
        images: The images, as for `image_source`.
        argument: String, the name of the argument in errors.
        paths: Optional sequence with a path per image.

    Attributes:
        images: The images, as they were given.
        shape: Tuple `(height, width, channels)`.
        dtype: NumPy dtype of the images.
        paths: List of strings, or `None`.
    """

    def __init__(self, images, argument, paths):
        self.images = images
        self.argument = argument
        if paths is None:
            paths = getattr(images, "file_paths", None)
        self.paths = None if paths is None else list(map(os.fspath, paths))

    @abc.abstractmethod
    def __len__(self):
        """Returns the number of images."""

    @abc.abstractmethod
    def read(self, start, count):
        """Returns the images from number `start` on, `count` at most.

        Calls in ascending order pass once over a dataset.
        """

    @abc.abstractmethod
    def take(self, indices):
        """Returns the images of these numbers, in the order of the numbers.

        Args:
            indices: Int array of shape `(count,)`, at least one. A dataset is
                read up to the largest of them.
        """

    @abc.abstractmethod
    def draw(self, count, seed=0):
        """Returns the numbers of some images, an int array in ascending order.

        They are drawn from all images, for these may be sorted. Of a dataset,
        which is read in its order, they are the first ones.

        Args:
            count: Int, how many at most.
            seed: Int.
        """

    @abc.abstractmethod
    def checksum(self):
        """Returns a string that changes with every image and their order.

        All values of an array count. Files count by their path, size and time
        of change, not by their content, which would have to be read. A
        dataset without `file_paths` is read once in full.
        """

    def first(self, count):
        """Returns the first images, `count` at most, as an array."""
        return self.read(0, count)

    def pieces(self, size):
        """Yields all images in their order, in arrays of `size` at most."""
        for start in range(0, len(self), size):
            yield self.read(start, size)

    def pieces_to_predict(self, batch_size):
        """Yields all images in their order, in arrays of whole batches.

        A prediction takes a while to begin, so that an array has as many
        batches as fit into 32 MiB. The next array is read while one is
        predicted.

        Args:
            batch_size: Int.
        """
        bytes_per_batch = batch_size * math.prod(self.shape)
        bytes_per_batch *= self.dtype.itemsize
        size = batch_size * max(1, _MOST_BYTES // bytes_per_batch)
        # Before the first read, for a dataset may have to be counted.
        count = len(self)
        with ReadAhead(self) as reader:
            for start in range(0, count, size):
                after = start + size
                coming = (after, size) if after < count else None
                yield reader.read(start, size, coming)

    def _check_paths(self, num_images):
        if self.paths is not None and len(self.paths) != num_images:
            raise ValueError(
                "`paths` must hold one path per image. Received: "
                f"{len(self.paths)} paths for {num_images} images"
            )

    def _files(self):
        """Returns the path, size and time of change of the files of images.

        Returns `None` if the images do not know their files, or one of the
        files does not exist.
        """
        paths = getattr(self.images, "file_paths", None)
        try:
            files = [(path, os.stat(path)) for path in paths or ()]
        except OSError:
            return None
        return [
            (path, status.st_size, status.st_mtime_ns) for path, status in files
        ] or None


class ImageArray(ImageSource):
    """Images in an array, in a memory-mapped file, or in `ImageFiles`."""

    def __init__(self, images, argument="unlabeled", paths=None):
        if keras.ops.is_tensor(images):
            images = keras.ops.convert_to_numpy(images)
        elif not is_array_like(images):
            images = np.asarray(images)
        check_images(images, argument)
        super().__init__(images, argument, paths)
        self.shape = tuple(images.shape[1:])
        self.dtype = np.dtype(images.dtype)
        self._check_paths(len(images))

    def __len__(self):
        return len(self.images)

    def read(self, start, count):
        return np.asarray(self.images[start : start + count])

    def take(self, indices):
        return np.asarray(self.images[np.asarray(indices, "int64")])

    def draw(self, count, seed=0):
        order = np.random.default_rng(seed).permutation(len(self))
        return np.sort(order[:count])

    def checksum(self):
        # `ImageFiles` may read the same files in another way.
        way = [
            getattr(self.images, name, None)
            for name in ("color_mode", "crop_to_aspect_ratio")
        ]
        content = self._files() or self._content()
        return fingerprint(len(self), self.shape, str(self.dtype), way, content)

    def _content(self):
        bytes_per_image = int(np.prod(self.shape)) * self.dtype.itemsize
        checksum = 0
        for piece in self.pieces(max(1, _BLOCK // bytes_per_image)):
            checksum = zlib.crc32(np.ascontiguousarray(piece), checksum)
        return checksum
