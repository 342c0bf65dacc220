"""Labelled images in memory, from wherever they come."""

import keras
import numpy as np

from keras_fewlabels.data.checks.images import as_array, check_images
from keras_fewlabels.data.checks.labels import check_labels
from keras_fewlabels.data.sources.unlabeled_source import is_dataset


def labeled_arrays(source, argument, in_memory=True):
    """Reads labelled images into arrays; there are few of them.

    Args:
        source: Pair of arrays `(images, labels)`, or `tf.data.Dataset` or
            `PyDataset` of such pairs, batched or (tf.data) not.
        argument: String, how the caller calls it.
        in_memory: Boolean, whether `ImageFiles` are read as well. If `False`,
            they stay what they are.

    Returns:
        Pair of arrays, images `(num_images, height, width, channels)` and
        labels `(num_images,)` or `(num_images, num_classes)`.

    Raises:
        ValueError: If they are no images and labels.
    """
    if is_dataset(source):
        source = _read(source, argument)
    if not isinstance(source, (tuple, list)) or len(source) != 2:
        raise ValueError(
            f"`{argument}` must be a pair (images, labels) of arrays, or a "
            "`tf.data.Dataset` or `keras.utils.PyDataset` of such pairs. "
            f"Received: {type(source).__name__}"
        )
    images, labels = (as_array(part, argument) for part in source)
    check_images(images, argument)
    check_labels(labels, f"labels of {argument}", num_images=len(images))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    return np.asarray(images) if in_memory else images, labels


def sample_of(unlabeled, count):
    """The first images of the unlabelled ones, to look at.

    Args:
        unlabeled: Array, `ImageFiles`, `tf.data.Dataset` or `PyDataset` of
            images.
        count: Int, how many at most.

    Returns:
        Array of shape `(at most count, height, width, channels)`.
    """
    if not is_dataset(unlabeled):
        return np.asarray(unlabeled[:count])
    images = []
    for batch in _batches(unlabeled):
        batch = keras.ops.convert_to_numpy(batch)
        images.extend(batch if batch.ndim == 4 else batch[None])
        if len(images) >= count:
            break
    return np.stack(images[:count])


def _read(dataset, argument):
    columns = [[], []]
    for batch in _batches(dataset):
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise ValueError(
                f"`{argument}` must give pairs (images, labels). Received: a "
                f"dataset of {type(batch).__name__}"
            )
        images, labels = map(keras.ops.convert_to_numpy, batch)
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


def _batches(dataset):
    is_py_dataset = isinstance(dataset, keras.utils.PyDataset)
    if (
        dataset.num_batches is None
        if is_py_dataset
        else int(dataset.cardinality()) == -1
    ):
        raise ValueError(
            "A dataset of images must end, because its length decides what an "
            "epoch is. Remove `.repeat()`, or give the `PyDataset` a "
            "`__len__`. Received: a dataset of infinite length"
        )
    if is_py_dataset:
        return (dataset[index] for index in range(dataset.num_batches))
    return dataset
