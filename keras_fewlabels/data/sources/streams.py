"""Datasets read image by image."""

import keras
import numpy as np
import tensorflow as tf

from keras_fewlabels.data.folders import ImageFiles


def as_stream(source, batch_size=None):
    """A dataset out of any source, in its order.

    Args:
        source: Array or tuple of arrays, `ImageFiles`, `tf.data.Dataset` of
            single elements or of batches, or `PyDataset`.
        batch_size: Optional int, images per batch; the last batch may be
            smaller. By default the elements are single.

    Returns:
        A `tf.data.Dataset`.

    Raises:
        ValueError: If a `PyDataset` has no length.
    """
    if isinstance(source, keras.utils.PyDataset):
        source = _read(source)
    elif isinstance(source, ImageFiles):
        source = _read_files(source)
    elif not isinstance(source, tf.data.Dataset):
        source = tf.data.Dataset.from_tensor_slices(source)
    images = keras.tree.flatten(source.element_spec)[0]
    if images.shape.rank != 4:
        return source if batch_size is None else source.batch(batch_size)
    if batch_size is None:
        return source.unbatch()
    return source.rebatch(batch_size)


def _read(source):
    if source.num_batches is None:
        raise ValueError(
            "The labelled and unlabelled datasets must end, because their "
            "lengths decide what an epoch is. Give the `PyDataset` a "
            "`__len__`. Received: num_batches=None"
        )

    def batches():
        for index in range(source.num_batches):
            yield source[index]

    # Only the last batch may be smaller, so the first axis stays open.
    signature = keras.tree.map_structure(
        lambda part: tf.TensorSpec((None, *part.shape[1:]), part.dtype),
        source[0],
    )
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def _read_files(files):
    def read(number):
        image = tf.numpy_function(files.__getitem__, [number], tf.uint8)
        return tf.ensure_shape(image, files.shape[1:])

    numbers = tf.data.Dataset.range(len(files))
    return numbers.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def check_elements(labeled, unlabeled):
    """Refuses datasets whose elements do not go together.

    Args:
        labeled: Element spec of the labelled dataset, single images.
        unlabeled: Element spec of the unlabelled dataset, single images.

    Raises:
        ValueError: If they are no `(images, labels)` and images, or image
            shapes or dtypes differ.
    """
    if not isinstance(labeled, tuple) or len(labeled) not in (2, 3):
        raise ValueError(
            "The labelled dataset must give pairs (images, labels). "
            f"Received: elements {labeled}"
        )
    check_unlabeled_element(unlabeled)
    images = labeled[0]
    if images.shape.rank != 3:
        raise ValueError(
            "The labelled dataset must give images of shape (height, width, "
            f"channels), or batches of them. Received: elements {images}"
        )
    if not images.shape.is_compatible_with(unlabeled.shape):
        raise ValueError(
            "Labelled and unlabelled images must have the same height, width "
            "and channels; resize one of them. Received: "
            f"labeled {tuple(images.shape)}, unlabeled {tuple(unlabeled.shape)}"
        )
    if images.dtype != unlabeled.dtype:
        raise ValueError(
            "Labelled and unlabelled images must have the same dtype, or "
            "their value ranges may differ; convert one of them. Received: "
            f"labeled {images.dtype.name}, unlabeled {unlabeled.dtype.name}"
        )


def check_unlabeled_element(unlabeled):
    """Refuses a dataset that does not give images alone.

    Args:
        unlabeled: Element spec of the dataset, single images.

    Raises:
        ValueError: If an element is no image of rank 3.
    """
    if not isinstance(unlabeled, tf.TensorSpec):
        raise ValueError(
            "The unlabelled dataset must give images alone; drop the rest "
            "with `.map(lambda image, label: image)` or read the folder with "
            f"`labels=None`. Received: elements {unlabeled}"
        )
    if unlabeled.shape.rank != 3:
        raise ValueError(
            "The unlabelled dataset must give images of shape (height, "
            "width, channels), or batches of them. "
            f"Received: elements {unlabeled}"
        )


def count_images(stream, name):
    """How many images a dataset has; if it does not say, it is read.

    Args:
        stream: `tf.data.Dataset` of single images.
        name: String, how the caller calls it.

    Returns:
        A positive int.

    Raises:
        ValueError: If it is infinite or empty.
    """
    length = int(stream.cardinality())
    if length == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "The labelled and unlabelled datasets must end, because their "
            "lengths decide what an epoch is. Remove `.repeat()` from "
            f"`{name}`. Received: a dataset of infinite length"
        )
    if length == tf.data.UNKNOWN_CARDINALITY:
        length = int(stream.reduce(np.int64(0), lambda count, _: count + 1))
    if length == 0:
        raise ValueError(
            f"`{name}` must hold at least one image. Received: a dataset "
            "without elements"
        )
    return length


def without_autotuning(dataset):
    """Turns off that TensorFlow tunes a dataset while it is read.

    In TensorFlow 2.21 the thread that tunes misses now and then that it is
    to end. It then sleeps on, for up to a minute, and a fit waits for it
    between two epochs. Little is lost: parallel calls of `AUTOTUNE`, also in
    datasets that users give, are then as many as there are cores.

    Args:
        dataset: `tf.data.Dataset`.

    Returns:
        A `tf.data.Dataset` of the same elements.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
