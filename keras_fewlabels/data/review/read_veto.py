import os
import warnings

import numpy as np

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.data.review.image_table import (
    find_images,
    read_image_table,
)
from keras_fewlabels.data.sources.image_pool import ImagePool

_ANSWERS = ("yes", "no")


def read_veto(veto, unlabeled):
    """Which unlabelled images must not have a pseudo-label.

    `evaluation.audit_pseudo_labels` writes the file. An image is known by its
    path, or by what it shows where it has none, so that the order of the
    images may change. Those that have left the pool, because somebody has
    labelled them, are passed over with a warning.

    Args:
        veto: Path of the CSV file, in which rows with `yes` in the column
            `veto` count; or a sequence of the numbers of images, from 0.
        unlabeled: Array of images `(num_images, height, width, channels)`,
            or what is indexed like one; or a `tf.data.Dataset` or `PyDataset`
            of images in a fixed order.

    Returns:
        Int64 array, the numbers of the vetoed images, sorted, each once.

    Raises:
        ValueError: If the file is no veto file, none of its images is among
            these, or a number is not that of an image.

    Example:

    >>> images = np.zeros((5, 8, 8, 1), "uint8")
    >>> keras_fewlabels.data.read_veto([3, 0], images)
    array([0, 3])
    """
    pool = unlabeled
    if not isinstance(pool, ImagePool):
        pool = ImagePool(unlabeled)
    if isinstance(veto, (str, os.PathLike)):
        return _from_file(veto, pool)
    numbers = np.asarray(veto)
    is_numbers = numbers.ndim == 1 and (
        not numbers.size or numbers.dtype.kind in "iu"
    )
    if not is_numbers or ((numbers < 0) | (numbers >= len(pool))).any():
        raise ValueError(
            "`veto` must be a veto file, or a sequence of numbers of images "
            f"from 0 to {len(pool) - 1}. Received: veto={veto!r}"
        )
    return np.unique(numbers.astype("int64"))


def without_vetoed(unlabeled, veto):
    """Leaves the vetoed images out of the unlabelled ones.

    For what takes unlabelled images and no veto, such as
    `loops.fit_noisy_student` and `data.mix_labeled_unlabeled`.

    Args:
        unlabeled: Array of images `(num_images, height, width, channels)`;
            `ImageFiles`; or a `tf.data.Dataset` or `PyDataset` of images in a
            fixed order.
        veto: As for `read_veto`.

    Returns:
        The other images in their order: an array, `ImageFiles`, or a
        `tf.data.Dataset` of single images where a dataset was given.

    Raises:
        ValueError: As `read_veto`, or if no image is left.

    Example:

    >>> images = np.arange(5, dtype="uint8").reshape(5, 1, 1, 1)
    >>> keras_fewlabels.data.without_vetoed(images, [3, 0]).ravel()
    array([1, 2, 4], dtype=uint8)
    """
    pool = ImagePool(unlabeled)
    vetoed = read_veto(veto, pool)
    kept = np.delete(np.arange(len(pool)), vetoed)
    if not len(kept):
        raise ValueError(
            "At least one image must be left without a veto. "
            f"Received: a veto on all {len(pool)} images"
        )
    if isinstance(pool.images, ImageFiles):
        return pool.images.subset(kept)
    if not hasattr(pool.images, "shape"):
        return _rest_of_stream(pool, kept)
    return pool.images[kept]


def _from_file(file, pool):
    rows = read_image_table(file, "veto", "veto")
    answers = [row["veto"].strip().lower() for row in rows]
    if set(answers) - set(_ANSWERS):
        raise ValueError(
            f"The column `veto` must hold yes or no. Received: {str(file)!r} "
            f"with {sorted(set(answers) - set(_ANSWERS))}"
        )
    found = find_images(rows, pool, "The veto file")
    missing = int((found < 0).sum())
    if missing:
        warnings.warn(
            f"{missing} of the {len(rows)} images of {str(file)!r} are not "
            "among the unlabelled ones any more, so they need no veto.",
            stacklevel=4,
        )
    says_yes = np.array([answer == "yes" for answer in answers], bool)
    return np.unique(found[says_yes & (found >= 0)])


def _rest_of_stream(pool, kept):
    import tensorflow as tf

    from keras_fewlabels.data.sources.streams import as_stream

    is_kept = np.zeros(len(pool), bool)
    is_kept[kept] = True
    stream = as_stream(pool.images).enumerate()
    stream = stream.filter(lambda number, _: tf.gather(is_kept, number))
    stream = stream.map(lambda _, image: image)
    return stream.apply(tf.data.experimental.assert_cardinality(len(kept)))
