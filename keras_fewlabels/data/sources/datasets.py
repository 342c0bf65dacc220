"""Datasets of images, read as NumPy arrays without importing TensorFlow."""

import keras


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
        ValueError: If the dataset has no end.
    """
    check_ends(dataset, argument)
    if isinstance(dataset, keras.utils.PyDataset):
        elements = (dataset[index] for index in range(dataset.num_batches))
    else:
        return dataset.as_numpy_iterator()
    return (
        keras.tree.map_structure(keras.ops.convert_to_numpy, element)
        for element in elements
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
    shape = getattr(element, "shape", None)
    if shape is None or len(shape) not in (3, 4):
        raise ValueError(
            f"`{argument}` must be a dataset of images of shape (height, "
            "width, channels), or of batches of them. "
            f"Received: elements {_described(element)}"
        )


def _described(element):
    """Returns the shapes of an element, not its values."""
    return keras.tree.map_structure(
        lambda part: (
            f"{getattr(part.dtype, 'name', part.dtype)} {tuple(part.shape)}"
            if hasattr(part, "shape") and hasattr(part, "dtype")
            else type(part).__name__
        ),
        element,
    )
