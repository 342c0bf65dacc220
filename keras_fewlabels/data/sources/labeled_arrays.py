"""Labelled images of any kind, read into memory."""

import numpy as np

from keras_fewlabels.data.checks import (
    as_array,
    check_images,
    check_labels,
    check_sample_weight,
)
from keras_fewlabels.data.sources.datasets import is_dataset, read_elements


def labeled_arrays(source, argument, in_memory=True, weighted=False):
    """Reads labelled images into arrays.

    Args:
        source: Pair of arrays `(images, labels)`, or `tf.data.Dataset` or
            `PyDataset` of such pairs, batched or (tf.data) not.
        argument: String, the name of the argument.
        in_memory: Boolean. If `False`, `ImageFiles` are not read, but
            returned as they are.
        weighted: Boolean. If `True`, a third array of sample weights
            `(num_images,)` may follow.

    Returns:
        Pair of arrays, images `(num_images, height, width, channels)` and
        labels `(num_images,)` or `(num_images, num_classes)`; and the sample
        weights, if there are any.

    Raises:
        ValueError: If `source` is no such pair or dataset, a dataset has no
            end, the images are no finite images, or the labels are neither
            class numbers nor rows with a column per class, one per image.
    """
    if is_dataset(source):
        source = _read(source, argument)
    lengths = (2, 3) if weighted else (2,)
    if not isinstance(source, tuple | list) or len(source) not in lengths:
        raise ValueError(
            f"`{argument}` must be a pair (images, labels) of arrays, or a "
            "`tf.data.Dataset` or `keras.utils.PyDataset` of such pairs. "
            f"Received: {_described(source)}"
        )
    images, labels, *weights = (as_array(part, argument) for part in source)
    check_images(images, argument)
    check_labels(
        labels, f"labels of {argument}", num_images=len(images), one_true=None
    )
    for each in weights:
        check_sample_weight(each, len(images))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    return np.asarray(images) if in_memory else images, labels, *weights


def _read(dataset, argument):
    columns = [[], []]
    for batch in read_elements(dataset, argument):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise ValueError(
                f"`{argument}` must give pairs (images, labels). Received: a "
                f"dataset of {type(batch).__name__}"
            )
        images, labels = map(np.asarray, batch)
        if images.ndim == 3:
            images, labels = images[None], labels[None]
        columns[0].append(images)
        columns[1].append(labels)
    if not columns[0]:
        raise ValueError(
            f"`{argument}` must hold at least one image. Received: a dataset "
            "without elements"
        )
    return tuple(map(np.concatenate, columns))


def _described(source):
    name = type(source).__name__
    return f"{name} of {len(source)}" if hasattr(source, "__len__") else name
