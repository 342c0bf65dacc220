"""What images and labels must look like before any training starts."""

import keras
import numpy as np

from keras_fewlabels.data.image_files import ImageFiles

# Large arrays are looked at in pieces: `np.isfinite` allocates a mask.
_PIECE = 4096


def as_array(values, argument):
    """Turns what is given into an array.

    Args:
        values: Array, tensor, or list of images or labels.
        argument: String, how the caller calls it.

    Returns:
        Array of NumPy. `ImageFiles`, which are indexed like one, stay on disk.

    Raises:
        ValueError: If the parts of a list have several shapes.
    """
    if isinstance(values, ImageFiles):
        return values
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"`{argument}` must be one array, so its parts must have one size. "
            "Resize the images, and stack them with `np.stack`. "
            f"Received: {argument} of type {type(values).__name__} ({error})"
        ) from error


def check_images(images, argument, value_range=None):
    """Refuses arrays that are not a set of images.

    Args:
        images: Array that should have shape
            `(num_images, height, width, channels)`.
        argument: String, how the caller calls the array.
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
    """Refuses NaN and infinite values, and values outside `value_range`.

    Args:
        images: Array of any shape.
        argument: String, how the caller calls the array.
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


def check_same_images(labeled, unlabeled):
    """Refuses two sets of images that one model cannot take.

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
    """Refuses images of another size than a model was built for.

    Args:
        model: Built Keras model; what does not know its inputs passes.
        images: Array of images.
        role: String, what the model is called.

    Raises:
        ValueError: If height, width or channels differ.
    """
    expected = getattr(model, "input_shape", None)
    if not isinstance(model, keras.Model) or not isinstance(expected, tuple):
        return
    if any(
        size is not None and size != found
        for size, found in zip(expected[1:], images.shape[1:], strict=False)
    ):
        raise ValueError(
            f"The {role} must take the images as they are. Resize them, or "
            "build the model with `keras.Input(images.shape[1:])`. Received: "
            f"images of shape {images.shape[1:]} for a model whose inputs are "
            f"{expected[1:]}"
        )


def check_labels(labels, argument, num_images=None, num_classes=None):
    """Refuses arrays that are neither class numbers nor one-hot labels.

    Args:
        labels: Array that should have shape `(num_images,)` or
            `(num_images, 1)` with class numbers from 0, or
            `(num_images, num_classes)` with a distribution per image.
        argument: String, how the caller calls the array.
        num_images: Optional int, the number of images that belong to them.
        num_classes: Optional int, the number of classes of the model.

    Raises:
        ValueError: If rank, number, dtype or range is another one.
    """
    shape = tuple(labels.shape)
    if len(shape) not in (1, 2):
        raise ValueError(
            f"`{argument}` must have shape (num_images,) with class numbers "
            "or (num_images, num_classes) with one-hot rows. "
            f"Received: shape={shape}"
        )
    if num_images is not None and shape[0] != num_images:
        raise ValueError(
            f"`{argument}` must have one label per image. "
            f"Received: {shape[0]} labels for {num_images} images"
        )
    if is_one_hot(labels):
        _check_distributions(labels, argument, num_classes)
    else:
        _check_class_numbers(labels, argument, num_classes)


def check_label_form(labels, wants_class_numbers):
    """Refuses labels in the form that the loss does not take.

    Args:
        labels: Array of class numbers or one-hot rows.
        wants_class_numbers: Boolean, whether the loss is a sparse one.

    Raises:
        ValueError: If the labels have the other form.
    """
    if wants_class_numbers and is_one_hot(labels):
        raise ValueError(
            "The loss expects class numbers, but the labels are one-hot. "
            "Compile with 'categorical_crossentropy', or pass "
            "`labels.argmax(axis=-1)`. "
            f"Received: labels of shape {tuple(labels.shape)}"
        )
    if not wants_class_numbers and not is_one_hot(labels):
        raise ValueError(
            "The loss expects one-hot labels, but the labels are class "
            "numbers. Compile with 'sparse_categorical_crossentropy', or pass "
            "`keras.utils.to_categorical(labels, num_classes)`. "
            f"Received: labels of shape {tuple(labels.shape)}"
        )


def check_sample_weight(weights, num_images):
    """Refuses sample weights that are not one number per image.

    Args:
        weights: Array that should have shape `(num_images,)`.
        num_images: Int, the number of images that belong to them.

    Raises:
        ValueError: If the shape is another one, or a weight is negative or
            not finite.
    """
    shape = tuple(weights.shape)
    if shape != (num_images,):
        raise ValueError(
            "The sample weights must be one number per labelled image. "
            f"Received: shape={shape} for {num_images} images"
        )
    if not (np.isfinite(weights).all() and np.min(weights) >= 0):
        raise ValueError(
            "The sample weights must be finite and not negative. Received: "
            f"minimum={np.min(weights)}, maximum={np.max(weights)}"
        )


def check_truth(truth, num_unlabeled):
    """Refuses true labels that do not belong to the unlabelled images.

    Args:
        truth: Array of class numbers.
        num_unlabeled: Int, the number of unlabelled images.

    Raises:
        ValueError: If there is not one class number per image.
    """
    if tuple(truth.shape) != (num_unlabeled,):
        raise ValueError(
            "`truth` must have one class number per unlabelled image. "
            f"Received: shape={tuple(truth.shape)} for {num_unlabeled} images"
        )


def is_one_hot(labels):
    """Whether labels have a column per class rather than a class number."""
    return len(labels.shape) == 2 and labels.shape[1] > 1


def class_numbers(labels):
    """The class of each label, int64 of shape `(num_images,)`."""
    labels = np.asarray(labels)
    if is_one_hot(labels):
        return labels.argmax(axis=1)
    return labels.reshape(-1).astype("int64")


def _check_distributions(labels, argument, num_classes):
    sums = np.sum(labels, axis=1)
    if np.min(labels) < 0 or not np.allclose(sums, 1, atol=1e-2):
        raise ValueError(
            f"`{argument}` with a column per class must hold rows that are "
            "not negative and sum to 1. Received: "
            f"minimum={np.min(labels)}, sums from {sums.min()} to {sums.max()}"
        )
    if num_classes is not None and labels.shape[1] != num_classes:
        raise ValueError(
            f"`{argument}` must have a column for each of the model's "
            f"{num_classes} classes. Received: shape={tuple(labels.shape)}"
        )


def _check_class_numbers(labels, argument, num_classes):
    values = np.asarray(labels)
    is_number = values.dtype.kind in "iuf"
    if not (
        is_number
        and np.isfinite(values).all()
        and np.all(values == np.floor(values))
    ):
        raise ValueError(
            f"`{argument}` must hold whole class numbers; turn names into "
            "numbers with `keras.layers.StringLookup` or `np.unique(names, "
            f"return_inverse=True)`. Received: dtype={values.dtype}, "
            f"first values={values.reshape(-1)[:5].tolist()}"
        )
    high = np.inf if num_classes is None else num_classes - 1
    if values.min() < 0 or values.max() > high:
        expected = "0 or more" if num_classes is None else f"0 to {high}"
        raise ValueError(
            f"`{argument}` must hold class numbers from {expected}. "
            f"Received: minimum={values.min()}, maximum={values.max()}"
        )
