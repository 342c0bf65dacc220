import os
import warnings

import numpy as np

from keras_fewlabels.data.checks import is_array_like
from keras_fewlabels.data.review.image_table import (
    find_images,
    one_answer_each,
    read_image_table,
)
from keras_fewlabels.data.sources import ImageSource, image_source

_ANSWERS = ("yes", "no", "")


def read_veto(unlabeled, veto):
    """Returns which unlabelled images must not get a pseudo-label.

    `evaluation.audit_pseudo_labels` writes the file. An image is known by its
    path, or by its content where it has no path, so the images may come in
    another order. Images that are no longer among the unlabelled ones, because
    they were labelled, are skipped with a warning.

    Args:
        unlabeled: Array of images `(num_images, height, width, channels)`,
            or an object that is indexed like one; or a `tf.data.Dataset` or
            `PyDataset` of images in a fixed order.
        veto: Path of the CSV file, in which rows with `yes` in the column
            `veto` count, and those with `no` or nothing do not; or a sequence
            of the indices of images, from 0.

    Returns:
        Int64 array, the indices of the vetoed images, sorted, each once.

    Raises:
        ValueError: If the file is no veto file, none of its images is in
            `unlabeled`, an image has two answers, or an index is not that of
            an image.

    Example:

    >>> images = np.zeros((5, 8, 8, 1), "uint8")
    >>> keras_fewlabels.data.read_veto(images, [3, 0])
    array([0, 3])
    """
    source = unlabeled
    if not isinstance(source, ImageSource):
        source = image_source(unlabeled)
    if isinstance(veto, str | os.PathLike):
        return _from_file(veto, source)
    try:
        indices = np.asarray(veto)
    except ValueError:  # Lists of several lengths.
        indices = np.array(None)
    is_indices = indices.ndim == 1 and (
        not indices.size or indices.dtype.kind in "iu"
    )
    if not is_indices or ((indices < 0) | (indices >= len(source))).any():
        raise ValueError(
            "`veto` must be a veto file, or a sequence of indices of images "
            f"from 0 to {len(source) - 1}. Received: veto={veto!r}"
        )
    return np.unique(indices.astype("int64"))


def without_vetoed(unlabeled, veto):
    """Returns the unlabelled images without the vetoed ones.

    Use it for functions that take unlabelled images and no veto, such as
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
    source = image_source(unlabeled)
    is_kept = np.ones(len(source), bool)
    is_kept[read_veto(source, veto)] = False
    if not is_kept.any():
        raise ValueError(
            "At least one image must be left without a veto. "
            f"Received: a veto on all {len(source)} images"
        )
    if hasattr(source.images, "subset"):
        return source.images.subset(is_kept)
    if is_array_like(source.images):
        return source.images[is_kept]
    return _without_vetoed_of_stream(source.images, is_kept)


def _from_file(file, source):
    name = f"The veto file {str(file)!r}"
    rows = read_image_table(file, "veto", "veto")
    answers = [row["veto"].strip().lower() for row in rows]
    others = sorted({*answers} - {*_ANSWERS})
    if others:
        raise ValueError(
            "The column `veto` must hold yes, no or nothing. Received: "
            f"{str(file)!r} with {[other[:99] for other in others[:9]]}"
        )
    indices = find_images(rows, source, name)
    is_there = indices >= 0
    num_missing = int((~is_there).sum())
    if num_missing:
        warnings.warn(
            f"{num_missing} of the {len(rows)} images of {str(file)!r} are not "
            "among the unlabelled ones any more, so they need no veto.",
            stacklevel=4,
        )
    if rows and not any(answers):
        warnings.warn(
            f"Nothing is vetoed, because the column `veto` of {str(file)!r} is "
            "empty. Write yes or no into it.",
            stacklevel=4,
        )
    answers = np.array(answers)
    answered = is_there & (answers != "")
    one_answer_each(indices[answered], answers[answered].tolist(), name)
    return np.unique(indices[is_there & (answers == "yes")])


def _without_vetoed_of_stream(dataset, is_kept):
    import tensorflow as tf

    from keras_fewlabels.data.sources.streams import as_stream

    stream = as_stream(dataset).enumerate()
    stream = stream.filter(lambda index, _: tf.gather(is_kept, index))
    stream = stream.map(lambda _, image: image)
    return stream.apply(tf.data.experimental.assert_cardinality(is_kept.sum()))
