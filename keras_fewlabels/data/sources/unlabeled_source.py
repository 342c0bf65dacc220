"""Unlabelled images of any kind, to be read in pieces."""

import os

import numpy as np

from keras_fewlabels.data.folders import ImageFiles
from keras_fewlabels.data.sources.datasets import is_dataset
from keras_fewlabels.data.sources.unlabeled_array import (
    UnlabeledArray,
    UnlabeledFiles,
)


def unlabeled_source(unlabeled):
    """Wraps what a user calls the unlabelled images.

    Args:
        unlabeled: Array of images (also memory-mapped), `ImageFiles`,
            `tf.data.Dataset` or `keras.utils.PyDataset` of images, batched or
            not.

    Returns:
        An `UnlabeledArray`, `UnlabeledFiles` or `UnlabeledStream`.

    Raises:
        ValueError: If it is no set of images, or comes with labels.
    """
    if isinstance(unlabeled, (str, os.PathLike)):
        raise ValueError(
            "`unlabeled` must be images, not where they are. Read folders "
            "with `keras_fewlabels.data.load_image_folders(labeled, "
            f"unlabeled)`. Received: {unlabeled!r}"
        )
    if isinstance(unlabeled, (tuple, list, dict)):
        raise ValueError(
            "`unlabeled` must be images alone: one array, a `tf.data.Dataset` "
            "or a `keras.utils.PyDataset`. If the labels are known, pass them "
            f"as `truth`. Received: {type(unlabeled).__name__}"
        )
    if is_dataset(unlabeled):
        from keras_fewlabels.data.sources.unlabeled_stream import (
            UnlabeledStream,
        )

        return UnlabeledStream(unlabeled)
    if isinstance(unlabeled, ImageFiles):
        return UnlabeledFiles(unlabeled)
    return UnlabeledArray(np.asarray(unlabeled))
