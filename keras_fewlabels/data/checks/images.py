"""Checks of images, before any training starts."""

import keras
import numpy as np

from keras_fewlabels.foundation import check_one_input, input_shape_of

# Images that are looked at at a time, because `np.min` of `ImageFiles` would
# read all of them into memory.
_PIECE = 4096


def as_array(values, argument):
    """Returns images or labels as an array.

    Args:
        values: Array, tensor, or list of images or labels.
        argument: String, the name of the argument.

    Returns:
        NumPy array. An object that has a shape and a dtype of NumPy, such as
        `ImageFiles`, is returned as it is, so that it stays on disk.

    Raises:
        ValueError: If the parts of a list have several shapes.
    """
    if keras.ops.is_tensor(values):
        return keras.ops.convert_to_numpy(values)
    # A series of pandas is indexed by its labels, and not by places.
    if is_array_like(values) and not hasattr(values, "iloc"):
        return values
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"`{argument}` must be one array, so its parts must have one size. "
            "Resize the images, and stack them with `np.stack`. "
            f"Received: {argument} of type {type(values).__name__} ({error})"
        ) from error


def is_array_like(values):
    """Returns whether an object has the shape and the dtype of an array."""
    dtype = getattr(values, "dtype", None)
    return hasattr(values, "shape") and isinstance(dtype, np.dtype)


def check_images(images, argument, value_range=None):
    """Checks that an array is a set of images.

    Args:
        images: Array that should have shape
            `(num_images, height, width, channels)`.
        argument: String, the name of the argument.
        value_range: Optional pair of numbers that bounds the values.

    Raises:
        ValueError: If the rank is not 4, there is no image, a value is NaN or
            infinite, or a value lies outside `value_range`.
    """
    if len(images.shape) != 4:
        raise ValueError(
            f"`{argument}` must have shape (num_images, height, width, "
            "channels). For grey images add the last axis with "
            f"`images[..., None]`. Received: shape={tuple(images.shape)}"
        )
    if images.dtype.kind in "OSU":
        raise ValueError(
            f"`{argument}` must hold numbers; read files into arrays first. "
            f"Received: dtype={images.dtype}"
        )
    if len(images) == 0:
        raise ValueError(
            f"`{argument}` must hold at least one image. "
            f"Received: shape={tuple(images.shape)}"
        )
    if value_range is None and images.dtype.kind in "biu":
        return  # Whole numbers are finite; files need not be read for that.
    for start in range(0, len(images), _PIECE):
        check_values(images[start : start + _PIECE], argument, value_range)


def check_values(images, argument, value_range=None):
    """Checks that all values are finite and inside `value_range`.

    Args:
        images: Array of any shape.
        argument: String, the name of the argument.
        value_range: Optional pair of numbers that bounds the values. A range
            as wide as `(0, 255)` also refuses images scaled to `(0, 1)`.

    Raises:
        ValueError: If a value is not finite or out of range.
    """
    low, high = float(np.min(images)), float(np.max(images))
    if not np.isfinite([low, high]).all():
        raise ValueError(
            f"`{argument}` must hold finite numbers. Look for broken files or "
            "a division by zero in the preprocessing. "
            f"Received: minimum={low}, maximum={high}"
        )
    if value_range is None:
        return
    if low < value_range[0] or high > value_range[1]:
        raise ValueError(
            f"`{argument}` must lie in the value range {value_range}. Pass "
            "the range your images have as `value_range`, or rescale them. "
            f"Received: minimum={low}, maximum={high}"
        )
    if value_range[1] >= 255 and low >= 0 and 0 < high <= 1:
        raise ValueError(
            f"`{argument}` should fill the value range {value_range}, but "
            "looks scaled to (0, 1). Pass `value_range=(0, 1)`, or do not "
            f"rescale the images. Received: minimum={low}, maximum={high}"
        )


def check_finite(images, argument, first=0):
    """Checks that all values are finite, and names the images of others.

    Args:
        images: Array of shape `(num_images, height, width, channels)`.
        argument: String, the name of the argument.
        first: Int, the number of the first of these images.

    Raises:
        ValueError: If a value is NaN or infinite.
    """
    if images.dtype.kind in "biu":
        return
    is_finite = np.isfinite(images).all(axis=(1, 2, 3))
    if not is_finite.all():
        broken = first + np.flatnonzero(~is_finite)
        raise ValueError(
            f"`{argument}` must hold finite numbers. Look for broken files or "
            "a division by zero in the preprocessing. Received: NaN or "
            f"infinity in the images {broken[:5].tolist()}, counted from 0"
        )


def check_same_images(labeled, unlabeled):
    """Checks that one model can take two sets of images.

    Args:
        labeled: Array of labelled images.
        unlabeled: Array of unlabelled images.

    Raises:
        ValueError: If image shapes or dtypes differ.
    """
    if labeled.shape[1:] != unlabeled.shape[1:]:
        raise ValueError(
            "Labelled and unlabelled images must have the same height, width "
            "and channels; resize one of them. Received: "
            f"labeled {tuple(labeled.shape[1:])}, "
            f"unlabeled {tuple(unlabeled.shape[1:])}"
        )
    if labeled.dtype != unlabeled.dtype:
        raise ValueError(
            "Labelled and unlabelled images must have the same dtype, or "
            "their value ranges may differ; convert one of them. Received: "
            f"labeled {labeled.dtype}, unlabeled {unlabeled.dtype}"
        )


def check_input_shape(model, images, role):
    """Checks that images have the size that a model was built for.

    Args:
        model: Built Keras model. A model that does not know its input shape
            passes.
        images: Array of images, or an object with the attribute `shape`
            `(num_images, height, width, channels)`.
        role: String, the name of the model in the error.

    Raises:
        ValueError: If height, width or channels differ, or the model takes
            other inputs than images.
    """
    check_one_input(model, role)
    expected = input_shape_of(model)
    if expected is not None and any(
        size is not None and size != found
        for size, found in zip(expected[1:], images.shape[1:], strict=False)
    ):
        raise ValueError(
            f"The {role} must take the images as they are. Resize them, or "
            "build the model with `keras.Input(images.shape[1:])`. Received: "
            f"images of shape {images.shape[1:]} for a model whose inputs are "
            f"{expected[1:]}"
        )
