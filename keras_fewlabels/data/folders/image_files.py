import concurrent.futures
import os

import numpy as np

from keras_fewlabels.data.folders.decode_image import (
    COLOR_MODES,
    decode_image,
    resize_image,
)
from keras_fewlabels.data.folders.image_size import checked_image_size
from keras_fewlabels.foundation import check_bool, check_choice, check_int


class ImageFiles:
    """Images on disk that are indexed like an array.

    Each image is read when it is indexed. `fit_noisy_student`,
    `mix_labeled_unlabeled`, `PseudoLabeler` and all other functions that take
    an array of unlabelled images take `ImageFiles` as well, on every backend,
    with the same order, the same batches and the same resume.
    `np.asarray(files)` reads all images.

    Files are decoded by Pillow in several threads, and resized as
    `keras.utils.load_img(path, interpolation="bilinear")` does. A large JPEG
    file is decoded at a half, a quarter or an eighth of its size, but not
    below `image_size`. Its pixels then differ from those of `load_img` about
    as much as those of bicubic interpolation do. Images with an EXIF
    orientation are turned upright, images with 16 bits keep the upper 8,
    transparent images are laid over white, and of an animation the first frame
    is taken. CMYK, palette and grey images become RGB.

    Args:
        paths: Sequence of strings or paths, in which `~` is expanded.
        image_size: Int, or pair of ints `(height, width)`.
        color_mode: `"rgb"` or `"grayscale"`.
        crop_to_aspect_ratio: Boolean. If `True`, the longer side is cropped
            at both ends, otherwise images of another shape are squeezed.
        cache_bytes: Int, the memory for decoded images, in bytes. The images
            that are read first stay in it, all others are decoded again in
            each epoch.

    Attributes:
        file_paths: List of strings, the files in their order.
        shape: Tuple `(num_images, height, width, channels)`.
        dtype: uint8.

    Raises:
        ValueError: If `paths` is empty or a string, or another argument has a
            wrong value. Indexing raises it for a file that is no image.
        ImportError: If Pillow is not installed, when the first file is read.

    Example:

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> paths = [f"{folder}/{number}.png" for number in range(5)]
    >>> for number, path in enumerate(paths):
    ...     image = np.full((4, 4, 3), 10 * number, "uint8")
    ...     keras.utils.save_img(path, image, scale=False)
    >>> files = keras_fewlabels.data.ImageFiles(paths, image_size=2)
    >>> files.shape
    (5, 2, 2, 3)
    >>> files[np.array([3, 0])][:, 0, 0, 0]
    array([30,  0], dtype=uint8)
    """

    ndim = 4
    dtype = np.dtype("uint8")

    def __init__(
        self,
        paths,
        image_size,
        color_mode="rgb",
        *,
        crop_to_aspect_ratio=False,
        cache_bytes=2**30,
    ):
        if isinstance(paths, str | bytes | os.PathLike):
            raise ValueError(
                "`paths` must be a sequence of paths, one per image; folders "
                f"are read with `load_image_folders`. Received: {paths!r}"
            )
        self.file_paths = [
            os.path.expanduser(os.fsdecode(path)) for path in paths
        ]
        if not self.file_paths:
            raise ValueError(
                "`ImageFiles` needs at least one file. Received: no paths"
            )
        check_choice(color_mode, "color_mode", tuple(COLOR_MODES))
        check_bool(crop_to_aspect_ratio, "crop_to_aspect_ratio")
        check_int(cache_bytes, "cache_bytes", 0)
        self.image_size = checked_image_size(image_size)
        self.color_mode = color_mode
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.cache_bytes = cache_bytes
        channels = len(COLOR_MODES[color_mode])
        self.shape = (len(self.file_paths), *self.image_size, channels)
        # In a random order no image is needed sooner than another, so the
        # first images stay in the cache.
        self._num_cached = cache_bytes // int(np.prod(self.shape[1:]))
        self._cached = {}

    def __len__(self):
        return len(self.file_paths)

    def __getitem__(self, key):
        """Returns images as a uint8 array.

        Args:
            key: Int, slice, array of ints or of booleans, as for an array.

        Returns:
            Array of shape `(height, width, channels)` for an int, otherwise
            `(number of images, height, width, channels)`.
        """
        numbers = np.arange(len(self))[key]
        if numbers.ndim == 0:
            return self._read(int(numbers))
        images = np.empty((*numbers.shape, *self.shape[1:]), self.dtype)

        def read(place):
            images[place] = self._read(int(numbers[place]))

        # Pillow decodes outside of Python's lock.
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(read, np.ndindex(numbers.shape)):
                pass
        return images

    def __array__(self, dtype=None, copy=None):
        return self[:].astype(self.dtype if dtype is None else dtype)

    def subset(self, indices):
        """Returns `ImageFiles` of some of the files.

        Args:
            indices: Slice, or array of ints or of booleans.
        """
        # An array of strings would give each the memory of the longest.
        numbers = np.arange(len(self))[indices]
        return ImageFiles(
            [self.file_paths[number] for number in numbers],
            self.image_size,
            self.color_mode,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            cache_bytes=self.cache_bytes,
        )

    def _read(self, number):
        image = self._cached.get(number)
        if image is not None:
            return image
        path = self.file_paths[number]
        try:
            image, _ = decode_image(path, self.color_mode, max(self.image_size))
        except ValueError as error:
            raise ValueError(
                "Each file must be an image that Pillow can read. Leave the "
                "file out, or read folders with `load_image_folders`, which "
                "finds such files before training. "
                f"Received: {path!r} ({error})"
            ) from error
        image = resize_image(image, self.image_size, self.crop_to_aspect_ratio)
        if len(self._cached) < self._num_cached:
            self._cached[number] = image
        return image
