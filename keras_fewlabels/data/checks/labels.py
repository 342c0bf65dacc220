"""Checks of labels, before any training starts."""

import numpy as np


def check_labels(
    labels, argument, num_images=None, num_classes=None, one_true=True
):
    """Checks that an array holds class numbers, one-hot or multi-hot labels.

    Args:
        labels: Array that should have shape `(num_images,)` or
            `(num_images, 1)` with class numbers from 0, or
            `(num_images, num_classes)` with a distribution per image.
        argument: String, the name of the argument.
        num_images: Optional int, the number of images that belong to them.
        num_classes: Optional int, the number of classes of the model.
        one_true: Boolean, whether one class is true of each image. If
            `False`, rows hold 0 and 1, and several classes may be true. If
            `None`, no model has said which.

    Raises:
        ValueError: If the rank, the number of labels, the dtype or a value is
            another one.
    """
    shape = tuple(labels.shape)
    if len(shape) not in (1, 2):
        raise ValueError(
            f"`{argument}` must have shape (num_images,) with class numbers "
            "or (num_images, num_classes) with one-hot rows. "
            f"Received: shape={shape}"
        )
    if shape[0] == 0:
        raise ValueError(
            f"`{argument}` must hold at least one label. Received: "
            f"shape={shape}"
        )
    if len(shape) == 2 and np.asarray(labels).dtype.kind not in "biuf":
        raise ValueError(
            f"`{argument}` with a column per class must hold numbers. "
            f"Received: dtype={np.asarray(labels).dtype}"
        )
    if num_images is not None and shape[0] != num_images:
        raise ValueError(
            f"`{argument}` must have one label per image. "
            f"Received: {shape[0]} labels for {num_images} images"
        )
    if one_true is False and not is_one_hot(labels):
        raise ValueError(
            f"`{argument}` must have a column for each label of the model, 1 "
            "where the label is true of the image and 0 where it is not. "
            f"Received: shape={shape}"
        )
    if one_true is False or (one_true is None and is_multi_hot(labels)):
        _check_multi_hot(labels, argument, num_classes)
    elif is_one_hot(labels):
        _check_distributions(labels, argument, num_classes)
    else:
        _check_class_numbers(labels, argument, num_classes)


def check_label_form(labels, wants_class_numbers):
    """Checks that labels have the form that the loss takes.

    Args:
        labels: Array of class numbers or one-hot rows.
        wants_class_numbers: Boolean. `True` for a sparse loss, which takes
            class numbers, `False` for one that takes one-hot labels.

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
    """Checks that sample weights are one number per image.

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
    """Checks that there is a true class per unlabelled image.

    Args:
        truth: Array of class numbers, or of rows with a column per class.
        num_unlabeled: Int, the number of unlabelled images.

    Raises:
        ValueError: If there is not one class number or row per image.
    """
    expected = (num_unlabeled, *truth.shape[1:])
    if tuple(truth.shape) != expected or not (
        len(truth.shape) == 1 or is_one_hot(truth)
    ):
        raise ValueError(
            "`truth` must have one class number per unlabelled image. "
            f"Received: shape={tuple(truth.shape)} for {num_unlabeled} images"
        )


def is_one_hot(labels):
    """Returns whether labels have a column per class, not a class number."""
    return len(labels.shape) == 2 and labels.shape[1] > 1


def is_multi_hot(labels):
    """Returns whether labels are rows of 0 and 1 that are not all one-hot."""
    if not is_one_hot(labels):
        return False
    labels = np.asarray(labels)
    return _holds_zeros_and_ones(labels) and bool((labels.sum(1) != 1).any())


def class_numbers(labels):
    """Returns the class of each label, int64 of shape `(num_images,)`."""
    labels = np.asarray(labels)
    if is_one_hot(labels):
        return labels.argmax(axis=1)
    return labels.reshape(-1).astype("int64")


def _holds_zeros_and_ones(labels):
    return bool(np.isin(labels, (0, 1)).all())


def _check_multi_hot(labels, argument, num_classes):
    if not _holds_zeros_and_ones(labels):
        raise ValueError(
            f"`{argument}` of several labels per image must hold 0 and 1. "
            f"Received: values from {np.min(labels)} to {np.max(labels)}"
        )
    _check_num_columns(labels, argument, num_classes)


def _check_num_columns(labels, argument, num_classes):
    if num_classes is not None and labels.shape[1] != num_classes:
        raise ValueError(
            f"`{argument}` must have a column for each of the model's "
            f"{num_classes} classes. Received: shape={tuple(labels.shape)}"
        )


def _check_distributions(labels, argument, num_classes):
    sums = np.sum(labels, axis=1)
    if np.min(labels) < 0 or not np.allclose(sums, 1, atol=1e-2):
        raise ValueError(
            f"`{argument}` with a column per class must hold rows that are "
            "not negative and sum to 1. Received: "
            f"minimum={np.min(labels)}, sums from {sums.min()} to {sums.max()}"
        )
    _check_num_columns(labels, argument, num_classes)


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
