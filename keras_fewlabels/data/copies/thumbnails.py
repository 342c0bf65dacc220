"""Small versions of images, by which copies are found."""

import dataclasses

import numpy as np

from keras_fewlabels.data.review import image_hash

# The sides of the thumbnails in grey, and of those in colour.
SIDE = 32
_COARSE = 8
# Images that are in memory at a time.
_PIECE = 64


@dataclasses.dataclass(frozen=True)
class Thumbnails:
    """What is kept of many images.

    Args:
        hashes: List of strings, which are equal for equal images.
        coarse: Float32 array `(num_images, 192)`, the colours of 8 x 8
            squares without their mean, rows of length 1.
        fine: Float16 array `(num_images, 32, 32)`, grey values of mean 0 and
            deviation 1.

    The thumbnails of an image of one colour are zeros.
    """

    hashes: list
    coarse: np.ndarray
    fine: np.ndarray


def thumbnails(source, progress=None):
    """Makes the thumbnails of all images of a source.

    Args:
        source: `ImageSource`.
        progress: Optional function that is called with the number of images
            that are done.

    Returns:
        `Thumbnails`.
    """
    hashes, coarse, fine = [], [], []
    for piece in source.pieces(_PIECE):
        hashes += map(image_hash, piece)
        small = _shrunk(piece.astype("float32"), SIDE)
        colours = _shrunk(small, _COARSE).reshape(len(piece), -1)
        grey = small.mean(axis=3).reshape(len(piece), -1)
        coarse.append(_centred(colours, piece.shape[3]))
        fine.append((SIDE * _centred(grey, 1)).astype("float16"))
        if progress is not None:
            progress(len(hashes))
    fine = np.concatenate(fine).reshape(-1, SIDE, SIDE)
    return Thumbnails(hashes, np.concatenate(coarse), fine)


def _shrunk(images, side):
    """Returns the means of the images over `side` x `side` areas."""
    num_images, height, width, channels = images.shape
    rows = _areas(height, side) @ images.reshape(num_images, height, -1)
    rows = rows.reshape(num_images * side, width, channels)
    return (_areas(width, side) @ rows).reshape(num_images, side, side, -1)


def _areas(length, count):
    """Returns the weights of pixels in the mean of each area of a side."""
    edges = np.linspace(0, length, count + 1)
    pixels = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(
        edges[:-1, None], pixels
    )
    overlap = np.maximum(overlap, 0)
    return (overlap / overlap.sum(axis=1, keepdims=True)).astype("float32")


def _centred(values, channels):
    """Returns rows without their means, scaled to length 1."""
    num_images = len(values)
    values = values.reshape(num_images, -1, channels)
    largest = np.abs(values).max(axis=(1, 2))
    values = values - values.mean(axis=1, keepdims=True)
    values = values.reshape(num_images, -1)
    lengths = np.linalg.norm(values, axis=1)
    # Less than this is rounding.
    is_flat = lengths <= 1e-4 * largest * np.sqrt(values.shape[1]) + 1e-30
    lengths[is_flat] = np.inf
    return values / lengths[:, None]
