"""Datasets of images, read as NumPy arrays without importing TensorFlow."""

import re

import keras
import numpy as np


def is_dataset(source):
    """Returns whether images come from a dataset rather than an array."""
    is_tf_dataset = hasattr(source, "element_spec")
    return is_tf_dataset or isinstance(source, keras.utils.PyDataset)


def check_ends(dataset, argument):
    """Checks that a dataset has an end.

    Args:
        dataset: `tf.data.Dataset` or `keras.utils.PyDataset`.
        argument: String, the name of the argument.

    Raises:
        ValueError: If the dataset repeats for ever, or is a `PyDataset`
            without `__len__`.
    """
    if isinstance(dataset, keras.utils.PyDataset):
        is_infinite = dataset.num_batches is None
    else:
        # -1 is `tf.data.INFINITE_CARDINALITY`.
        is_infinite = int(dataset.cardinality()) == -1
    if is_infinite:
        raise ValueError(
            f"`{argument}` must end, because its length decides what an epoch "
            "is. Remove `.repeat()`, or give the `PyDataset` a `__len__`. "
            f"Received: {argument}, a dataset of infinite length"
        )


def read_elements(dataset, argument):
    """Returns an iterator of the elements of a dataset, as NumPy arrays.

    Args:
        dataset: `tf.data.Dataset` of batches or single elements, or
            `keras.utils.PyDataset`.
        argument: String, the name of the argument.

    Raises:
        ValueError: If the dataset has no end, or images of several sizes.
    """
    check_ends(dataset, argument)
    if isinstance(dataset, keras.utils.PyDataset):
        elements = (dataset[index] for index in range(dataset.num_batches))
        elements = (
            keras.tree.map_structure(keras.ops.convert_to_numpy, element)
            for element in elements
        )
    else:
        images = keras.tree.flatten(dataset.element_spec)[0]
        if hasattr(images, "ragged_rank"):
            raise several_sizes(argument, f"a ragged tensor {images}")
        elements = dataset.as_numpy_iterator()
    return _of_one_size(elements, argument)


def _of_one_size(elements, argument):
    """Yields elements, and checks that their images have one shape."""
    expected = None
    try:
        for element in elements:
            images = keras.tree.flatten(element)[0]
            if len(shape := np.shape(images)) in (3, 4):
                expected = expected or shape[-3:]
                if shape[-3:] != expected:
                    raise several_sizes(argument, f"{expected}, {shape[-3:]}")
            yield element
    except Exception as error:
        if is_about_sizes(error):
            raise several_sizes(argument, error) from error
        raise


# Of errors of tf.data, in the words of its operations.
_ABOUT_SIZES = (
    "Cannot batch",
    "an element of shape",
    "expected shape",
    "must match",
    "rebatch",
)


def is_about_sizes(error):
    """Returns whether an error of tf.data means images of several sizes."""
    words = str(error)
    is_of_tf_data = type(error).__name__ == "InvalidArgumentError"
    return is_of_tf_data and any(each in words for each in _ABOUT_SIZES)


def several_sizes(argument, received):
    """Returns the error of a dataset whose images have several sizes."""
    # Without the names of TensorFlow's operations, and their trace.
    received = str(received).splitlines()[0]
    received = re.sub(r"^\{\{.*?\}\}\s*(.*\bMap: )?", "", received)
    return ValueError(
        f"`{argument}` must be images of one height, width and number of "
        "channels. Resize the images before they are batched, with "
        "`.map(lambda image: tf.image.resize(image, (height, width)))` or "
        f"`keras.layers.Resizing`. Received: {received}"
    )


def check_unlabeled_element(element, argument):
    """Checks that a dataset gives images alone.

    Args:
        element: `tf.TensorSpec` or array, an element or a batch of the
            dataset.
        argument: String, the name of the argument.

    Raises:
        ValueError: If the element is a tuple or a dict, or has no shape
            `(height, width, channels)`, with or without a batch axis.
    """
    if isinstance(element, tuple | list | dict):
        raise ValueError(
            f"`{argument}` must be a dataset of images alone; drop the rest "
            "with `.map(lambda image, label: image)` or read the folder with "
            f"`labels=None`. Received: elements {_described(element)}"
        )
    if hasattr(element, "ragged_rank"):
        raise several_sizes(argument, f"a ragged tensor {element}")
    shape = getattr(element, "shape", None)
    if shape is None or _rank(shape) not in (3, 4):
        raise ValueError(
            f"`{argument}` must be a dataset of images of shape (height, "
            "width, channels), or of batches of them. After a function of "
            "Python, tell the shape with `tf.ensure_shape`. "
            f"Received: elements {_described(element)}"
        )


def _described(element):
    """Returns the shapes of an element, not its values."""

    def described(part):
        if not hasattr(part, "shape") or not hasattr(part, "dtype"):
            return type(part).__name__
        is_known = _rank(part.shape) is not None
        shape = tuple(part.shape) if is_known else "of unknown shape"
        return f"{getattr(part.dtype, 'name', part.dtype)} {shape}"

    return keras.tree.map_structure(described, element)


def _rank(shape):
    """Returns the length of a shape, or `None` if TensorFlow lacks it."""
    return shape.rank if hasattr(shape, "rank") else len(shape)
