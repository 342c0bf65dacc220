"""Datasets of TensorFlow out of images of any kind."""

import itertools
import mmap

import keras
import numpy as np
import tensorflow as tf

from keras_fewlabels.data.checks import is_array_like
from keras_fewlabels.data.sources.datasets import (
    check_ends,
    check_unlabeled_element,
    is_about_sizes,
    read_elements,
    several_sizes,
)


def as_stream(source, batch_size=None, argument="unlabeled"):
    """Returns a `tf.data.Dataset` of a source, in the order of the source.

    Args:
        source: Array or tuple of arrays, `ImageFiles`, `tf.data.Dataset` of
            single elements or of batches, or `PyDataset` of batches.
        batch_size: Optional int, images per batch. The last batch may be
            smaller. By default the elements are single.
        argument: String, the name of the argument in errors.

    Raises:
        ValueError: If a `PyDataset` has no length.
    """
    if isinstance(source, keras.utils.PyDataset):
        check_ends(source, argument)
        source = _read_batches(source)
    elif is_array_like(source) and not _is_in_memory(source):
        # `ImageFiles`, arrays on the disk, and other objects that are read
        # when they are indexed.
        source = _read_images(source)
    elif not isinstance(source, tf.data.Dataset):
        source = tf.data.Dataset.from_tensor_slices(source)
    images = keras.tree.flatten(source.element_spec)[0]
    if images.shape.rank != 4:
        return source if batch_size is None else source.batch(batch_size)
    if batch_size is None:
        return source.unbatch()
    return source.rebatch(batch_size)


def _is_in_memory(array):
    """Returns whether an array is in memory, and not mapped from a file."""
    if not isinstance(array, np.ndarray):
        return False
    # A view of a mapped array is an ordinary array.
    while isinstance(array, np.ndarray):
        array = array.base
    return not isinstance(array, mmap.mmap)


def _read_batches(source):
    def read(number):
        # Its arrays may be tensors of another backend.
        return keras.tree.map_structure(
            keras.ops.convert_to_numpy, source[number]
        )

    # Only the last batch may be smaller, so the first axis stays open.
    signature = keras.tree.map_structure(
        lambda part: tf.TensorSpec((None, *part.shape[1:]), part.dtype),
        read(0),
    )
    return from_passes(lambda: read, source.num_batches, signature)


def _read_images(images):
    def read(number):
        image = tf.numpy_function(images.__getitem__, [number], images.dtype)
        return tf.ensure_shape(image, images.shape[1:])

    numbers = tf.data.Dataset.range(len(images))
    return numbers.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def check_elements(labeled, unlabeled):
    """Checks that the elements of two datasets go together.

    Args:
        labeled: `tf.data.Dataset` of single labelled images.
        unlabeled: `tf.data.Dataset` of single unlabelled images.

    Returns:
        Tuple of ints, the shape of all images.

    Raises:
        ValueError: If the elements are not `(images, labels)` and images, or
            their image shapes or dtypes differ.
    """
    spec = labeled.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise ValueError(
            "The labelled dataset must give pairs (images, labels). "
            f"Received: elements {spec}"
        )
    check_unlabeled_element(unlabeled.element_spec, "unlabeled")
    if hasattr(spec[0], "ragged_rank"):
        raise several_sizes("labeled", f"a ragged tensor {spec[0]}")
    if spec[0].shape.rank != 3:
        raise ValueError(
            "The labelled dataset must give images of shape (height, width, "
            f"channels), or batches of them. Received: elements {spec[0]}"
        )
    dtypes = spec[0].dtype.name, unlabeled.element_spec.dtype.name
    if dtypes[0] != dtypes[1]:
        raise ValueError(
            "Labelled and unlabelled images must have the same dtype, or "
            "their value ranges may differ; convert one of them. Received: "
            f"labeled {dtypes[0]}, unlabeled {dtypes[1]}"
        )
    shapes = _image_shape(labeled, "labeled"), _image_shape(unlabeled)
    if shapes[0] != shapes[1]:
        raise ValueError(
            "Labelled and unlabelled images must have the same height, width "
            "and channels; resize one of them. Received: "
            f"labeled {shapes[0]}, unlabeled {shapes[1]}"
        )
    return shapes[0]


def of_shape(stream, shape):
    """Tells a dataset the shape of its images, or of batches of them.

    Datasets that decode files do not know it, and layers are faster if they
    do.
    """
    image = keras.tree.flatten(stream.element_spec)[0]
    if image.shape[-3:].is_fully_defined():
        return stream

    def ensure(image, *others):
        known = image.shape[:-3].concatenate(shape)
        image = tf.ensure_shape(image, known)
        return (image, *others) if others else image

    return stream.map(ensure)


def _image_shape(stream, argument="unlabeled"):
    """Returns the shape of all images, which may have to be read for it."""
    shape = keras.tree.flatten(stream.element_spec)[0].shape
    if shape.is_fully_defined():
        return tuple(shape)
    stream = stream.map(lambda *parts: tf.shape(keras.tree.flatten(parts)[0]))
    shapes = {tuple(shape) for shape in read_elements(stream, argument)}
    if len(shapes) > 1:
        shapes = ", ".join(str(tuple(map(int, each))) for each in shapes)
        raise several_sizes(argument, shapes)
    return tuple(map(int, *shapes)) if shapes else tuple(shape)


def finite(stream, argument):
    """Makes a dataset stop at the first image with a value that is not finite.

    One NaN would become NaN in the weights, and an activation such as ReLU can
    hide that from the loss.

    Args:
        stream: `tf.data.Dataset` of single elements, whose first part is an
            image.
        argument: String, the name of the argument in the error, a
            `tf.errors.InvalidArgumentError`.
    """
    if not keras.tree.flatten(stream.element_spec)[0].dtype.is_floating:
        return stream

    def check(number, element):
        image = keras.tree.flatten(element)[0]
        is_finite = tf.reduce_all(tf.math.is_finite(image))
        message = (
            f"`{argument}` must hold finite numbers. Look for broken files or "
            "a division by zero in the preprocessing. Received: NaN or "
            "infinity in the image of this number, counted from 0:"
        )
        with tf.control_dependencies(
            [tf.debugging.Assert(is_finite, [message, number])]
        ):
            return keras.tree.map_structure(tf.identity, element)

    return stream.enumerate().map(check)


def count_images(stream, argument):
    """Returns the number of images of a dataset, which may have to be read.

    Args:
        stream: `tf.data.Dataset` of single images.
        argument: String, the name of the argument in errors.

    Raises:
        ValueError: If the dataset is infinite or empty, or holds images of
            several sizes.
    """
    check_ends(stream, argument)
    length = int(stream.cardinality())
    if length == tf.data.UNKNOWN_CARDINALITY:
        try:
            length = int(stream.reduce(np.int64(0), lambda count, _: count + 1))
        except tf.errors.InvalidArgumentError as error:
            if is_about_sizes(error):
                raise several_sizes(argument, error) from error
            raise
    if length == 0:
        raise ValueError(
            f"`{argument}` must hold at least one image. Received: a dataset "
            "without elements"
        )
    return length


def from_passes(begin, length, signature):
    """Returns a dataset whose elements a Python function makes.

    `tf.data.Dataset.from_generator` must not be used. On Python 3.11 its first
    iterator makes the C library map each larger block of memory anew, for the
    rest of the process. Each later training step then waits for its pages: one
    of EfficientNet-Lite0 on two CPU cores took 1.6 times as long.

    Args:
        begin: Function without arguments that is called at the start of each
            pass. It returns the function of that pass, which makes the element
            of a number. The numbers come in their order, from 0.
        length: Int, the number of elements of a pass.
        signature: Structure of `tf.TensorSpec`, of each element.

    Returns:
        A `tf.data.Dataset` of known length.
    """
    specs = keras.tree.flatten(signature)
    begun, passes = itertools.count(), {}

    def begin_pass():
        key = next(begun)
        passes[key] = begin()
        return np.int64(key)

    def make(key, number):
        element = passes[int(key)](int(number))
        # One that is broken off is kept for as long as the dataset.
        if number == length - 1:
            del passes[int(key)]
        return [
            np.asarray(part, spec.dtype.as_numpy_dtype)
            for part, spec in zip(
                keras.tree.flatten(element), specs, strict=True
            )
        ]

    def read(key, number):
        parts = tf.numpy_function(
            make, [key, number], [spec.dtype for spec in specs]
        )
        parts = [
            tf.ensure_shape(part, spec.shape)
            for part, spec in zip(parts, specs, strict=True)
        ]
        return keras.tree.pack_sequence_as(signature, parts)

    def one_pass(_):
        key = tf.numpy_function(begin_pass, [], tf.int64)
        numbers = tf.data.Dataset.range(length)
        return numbers.map(lambda number: read(key, number))

    passed = tf.data.Dataset.range(1).flat_map(one_pass)
    return passed.apply(tf.data.experimental.assert_cardinality(length))


def without_autotuning(dataset):
    """Disables tf.data's autotuning for a dataset.

    In TensorFlow 2.21 the autotuning thread sometimes does not notice that it
    has to stop. It then sleeps for up to a minute, and `fit()` waits for it
    between two epochs. Without autotuning, calls with
    `num_parallel_calls=AUTOTUNE` run on as many threads as there are cores,
    also in datasets that users pass.

    Args:
        dataset: `tf.data.Dataset`.

    Returns:
        A `tf.data.Dataset` of the same elements.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
