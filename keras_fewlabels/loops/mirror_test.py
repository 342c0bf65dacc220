"""Whether images and their mirror images look alike."""

import numpy as np

# At most this many images and, in each direction, about this many pixels.
_MOST_IMAGES = 1000
_MOST_PIXELS = 8


def mirror_accuracy(images):
    """How well a linear classifier tells images from their mirror images.

    Photographs are as likely one way round as the other; letters, digits,
    X-rays and pages are not, and a model that learns from flipped ones learns
    what does not occur.

    Args:
        images: Array of shape `(num_images, height, width, channels)`, at
            least two images.

    Returns:
        Float, its accuracy on images that it was not fitted on: about 0.5
        where flips do no harm, near 1 where no image looks like a flipped
        one. With 200 images, 0.5 has a standard error of 0.035.

    Example:

    >>> from keras_fewlabels.loops.mirror_test import mirror_accuracy
    >>> images = np.random.default_rng(0).random((100, 8, 8, 1))
    >>> images[:, :, :4] += 1  # bright on the left
    >>> mirror_accuracy(images)
    1.0
    """
    grey = np.asarray(images[:_MOST_IMAGES]).mean(axis=-1, dtype="float64")
    half = grey.shape[2] // 2
    # What changes its sign when the image is flipped: a linear classifier
    # without a bias that is right about an image is right about its mirror.
    odd = (grey - grey[:, :, ::-1])[:, :, :half]
    odd = odd / (grey.std(axis=(1, 2), keepdims=True) + 1e-6)
    odd = _means(odd, (_MOST_PIXELS, _MOST_PIXELS // 2))
    odd = odd.reshape(len(odd), odd.shape[1] * odd.shape[2])
    parts = odd[::2], odd[1::2]
    return float(np.mean([_accuracy(*parts), _accuracy(*reversed(parts))]))


def _accuracy(fitted, held_out):
    second_moments = fitted.T @ fitted / len(fitted)
    weights = np.linalg.solve(
        second_moments + 0.1 * np.eye(len(second_moments)), fitted.mean(axis=0)
    )
    scores = held_out @ weights
    # A draw is no knowledge.
    return np.mean(scores > 0) + np.mean(scores == 0) / 2


def _means(images, sizes):
    """The means of equal blocks, about so many in each direction."""
    for axis, size in zip((1, 2), sizes, strict=True):
        block = max(1, images.shape[axis] // size)
        count = images.shape[axis] // block
        images = np.moveaxis(images, axis, -1)[..., : count * block]
        images = images.reshape(*images.shape[:-1], count, block).mean(axis=-1)
        images = np.moveaxis(images, -1, axis)
    return images
