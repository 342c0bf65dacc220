"""Checks of images, models and scores before a model is evaluated."""

import keras
import numpy as np

from keras_fewlabels.data.checks import (
    as_array,
    check_images,
    check_input_shape,
    check_labels,
)
from keras_fewlabels.foundation import (
    check_int,
    check_type,
    predict_array,
    resolve_value_range,
)
from keras_fewlabels.policies.parts import scores_of

# The smallest side of an image for which the corruptions are published.
_MIN_SIDE = 32


def checked_images(x, value_range):
    """Returns images that can be corrupted, and their value range.

    Args:
        x: Array, tensor or list of images, as the caller passed it.
        value_range: Pair of floats, or `None` to find it out.

    Returns:
        Pair of a NumPy array of shape `(num_images, height, width, channels)`
        and a pair of floats.

    Raises:
        ValueError: If rank, dtype, size, channels or a value is wrong.
    """
    images = as_array(x, "x")
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise ValueError(
            "`x` must be an array of uint8 or floats. Stack the batches of a "
            "dataset into one array. "
            f"Received: dtype={images.dtype}, x of type {type(x).__name__}"
        )
    check_images(images, "x")
    value_range = resolve_value_range(value_range, images, "x")
    check_images(images, "x", value_range)
    height, width, channels = images.shape[1:]
    if min(height, width) < _MIN_SIDE or channels not in (1, 3):
        raise ValueError(
            f"Images must be {_MIN_SIDE} pixels or larger, with 1 or 3 "
            "channels. For smaller images no strength of the corruptions is "
            f"published. Received: shape={images.shape}"
        )
    return images, value_range


def check_run(model, batch_size, seed=0):
    """Checks that there is a Keras model, a batch size and a seed."""
    check_type(model, "model", keras.Model, "a `keras.Model`")
    check_int(batch_size, "batch_size")
    check_int(seed, "seed", 0)


def check_model(model, images):
    """Checks that a model returns a finite score per class.

    Args:
        model: A `keras.Model`.
        images: Array of a few images, which the model predicts.

    Returns:
        The kind of its scores, `ClassScores`, and the number of classes.

    Raises:
        ValueError: If the model takes images of another size, returns other
            than finite scores, or does not tell what they mean.
    """
    check_input_shape(model, images, "model")
    outputs = predict_array(model, images)
    check_scores(outputs, len(images))
    scores = scores_of(outputs, model, only_ranked=True)
    return scores, scores.num_classes(outputs.shape[1])


def check_scores(scores, num_images):
    """Checks that outputs are one finite score per image and class.

    Args:
        scores: The value that `predict` returned.
        num_images: Integer, the number of images that were predicted.

    Raises:
        ValueError: If the shape is another one, or a score is not finite.
    """
    shape = getattr(scores, "shape", None)
    if shape is None or len(shape) != 2 or len(scores) != num_images:
        received = type(scores).__name__ if shape is None else f"shape={shape}"
    elif not np.isfinite(scores).all():
        raise ValueError(
            "The model must return finite scores. Look at its weights, or "
            "pass images in the range it was trained on. Received: "
            f"{np.sum(~np.isfinite(scores))} scores that are not finite"
        )
    else:
        return
    raise ValueError(
        "`model` must return scores of shape (batch, num_classes), or of "
        "shape (batch, 1) for one sigmoid unit. "
        f"Received: {received} for {num_images} images"
    )


def checked_label_rows(labels, argument, scores, num_classes):
    """Returns labels as rows of 0 and 1, with a column per class.

    Args:
        labels: Array of labels, as the caller passed it.
        argument: String, the name of the labels in the error.
        scores: `ClassScores` of the model.
        num_classes: Int.

    Returns:
        Float32 array of shape `(num_images, num_classes)`. Of soft labels the
        likeliest class counts.

    Raises:
        ValueError: If they are no labels for the model.
    """
    check_labels(
        labels,
        argument,
        num_classes=num_classes,
        one_true=scores.one_true,
    )
    return scores.label_rows(scores.as_decisions(labels), num_classes)


def checked_pseudo_labels(labels, num_images, num_labels=None):
    """Returns pseudo-labels as an array, or `None`.

    Args:
        labels: Int array `(num_images,)`, -1 where there is no label, or
            `None`, as the caller passed it.
        num_images: Int.
        num_labels: Optional int, the number of labels of which several may be
            true. The array then has a column for each, of 1, 0 and -1.

    Raises:
        ValueError: If the shape or dtype is another one, or no image has a
            label.
    """
    if labels is None:
        return None
    labels = as_array(labels, "pseudo_labels")
    shape = (num_images,) if num_labels is None else (num_images, num_labels)
    is_labels = labels.shape == shape and labels.dtype.kind == "i"
    if num_labels is not None and not (is_labels and labels.max() < 2):
        raise ValueError(
            "`pseudo_labels` must be an int array with a column for each of "
            f"the {num_labels} labels of the model, 1 where it is true, 0 "
            "where it is not, and -1 where that is not known. Received: "
            f"shape={labels.shape}, dtype={labels.dtype}, for {num_images} "
            "images"
        )
    if not is_labels or (labels < -1).any():
        raise ValueError(
            "`pseudo_labels` must be an int array with a class per image, -1 "
            f"where there is none. Received: shape={labels.shape}, "
            f"dtype={labels.dtype}, for {num_images} images"
        )
    if (labels < 0).all():
        raise ValueError(
            "`pseudo_labels` must hold one label or more. "
            f"Received: pseudo_labels={labels[:5]}..., all of them -1"
        )
    return labels
