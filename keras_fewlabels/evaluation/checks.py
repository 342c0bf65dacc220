"""What must hold before a model is evaluated on changed images."""

import keras
import numpy as np

from keras_fewlabels.data.checks import images as image_checks
from keras_fewlabels.foundation.arguments import check_int, check_value_range

SMALLEST = 32


def as_array(values, argument):
    """Returns an array, a tensor or a list as an array of NumPy.

    Args:
        values: What the caller passed.
        argument: String, how the caller calls it.

    Raises:
        ValueError: If it is something else, such as a dataset.
    """
    if isinstance(values, np.ndarray):
        return values
    if keras.ops.is_tensor(values):
        return keras.ops.convert_to_numpy(values)
    if isinstance(values, list | tuple):
        return image_checks.as_array(values, argument)
    raise ValueError(
        f"`{argument}` must be an array; stack the batches of a dataset into "
        f"one. Received: {argument} of type {type(values).__name__}"
    )


def check_images(images, value_range):
    """Refuses what is no set of images to corrupt.

    Args:
        images: Array, as the caller passed it.
        value_range: Pair of floats, or None for images of uint8.

    Returns:
        The value range, a pair of floats.

    Raises:
        ValueError: If rank, dtype, size, channels or a value is wrong.
    """
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise ValueError(
            "`x` must be an array of uint8 or floats. "
            f"Received: dtype={images.dtype}"
        )
    if value_range is None and images.dtype != np.uint8:
        raise ValueError(
            "Images of floats have no range of their own. Pass the values of "
            "black and white, such as `value_range=(0, 1)`. "
            f"Received: dtype={images.dtype}"
        )
    value_range = (0, 255) if value_range is None else value_range
    check_value_range(value_range)
    image_checks.check_images(images, "x", value_range)
    height, width, channels = images.shape[1:]
    if min(height, width) < SMALLEST or channels not in (1, 3):
        raise ValueError(
            f"Images must be {SMALLEST} pixels or larger, with 1 or 3 "
            "channels: for smaller ones the corruptions have no strength. "
            f"Received: shape={images.shape}"
        )
    return tuple(value_range)


def check_names(names, known, argument):
    """Refuses names of corruptions or perturbations that do not exist.

    Args:
        names: Sequence of strings.
        known: The names there are.
        argument: String, how the caller calls the names.

    Raises:
        ValueError: If a name is not known or given twice, or there is none.
    """
    is_list = isinstance(names, list | tuple)
    if not is_list or not names or set(names) - set(known):
        raise ValueError(
            f"`{argument}` must be a list of names, each out of "
            f"{list(known)}. Received: {argument}={names!r}"
        )
    if len(set(names)) < len(names):
        raise ValueError(
            f"`{argument}` must name each only once. "
            f"Received: {argument}={names!r}"
        )


def check_severities(severities):
    """Refuses severities other than the five of the benchmark.

    Args:
        severities: Sequence that should hold integers from 1 to 5.

    Raises:
        ValueError: If one is not, one is given twice, or there is none.
    """
    is_list = isinstance(severities, list | tuple | range)
    known = [s for s in severities if s in (1, 2, 3, 4, 5)] if is_list else []
    if not known or len(set(known)) < len(severities):
        raise ValueError(
            "`severities` must be whole numbers from 1 to 5, each only once. "
            f"Received: severities={severities!r}"
        )


def check_run(model, batch_size, seed):
    """Refuses what is no Keras model, no batch size or no seed.

    Args:
        model: The model, as the caller passed it.
        batch_size: Should be an integer, 1 or more.
        seed: Should be an integer, 0 or more.

    Raises:
        ValueError: If one of them is not.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`model` must be a `keras.Model`. Received: model={model!r}"
        )
    check_int(batch_size, "batch_size")
    check_int(seed, "seed", 0)


def check_model(model, images):
    """Refuses a model that does not return a score per class.

    Args:
        model: A `keras.Model`.
        images: Array of a few images, which the model predicts.

    Returns:
        Integer, the number of classes.

    Raises:
        ValueError: If it returns something else, or scores that are NaN.
    """
    image_checks.check_input_shape(model, images, "model")
    scores = model.predict(images, verbose=0)
    check_scores(scores, len(images))
    return scores.shape[1]


def check_scores(scores, num_images):
    """Refuses outputs that are not one score per image and class.

    Args:
        scores: What `predict` returned.
        num_images: Integer, how many images it was given.

    Raises:
        ValueError: If the shape is another one, or a score is NaN.
    """
    shape = getattr(scores, "shape", None)
    if shape is None or len(shape) != 2 or len(scores) != num_images:
        received = type(scores).__name__ if shape is None else f"shape={shape}"
    elif shape[1] < 2:
        received = f"shape={shape}"
    elif not np.isfinite(scores).all():
        raise ValueError(
            "The model must return finite scores. Look at its weights, or "
            "pass images in the range it was trained on. Received: "
            f"{np.sum(~np.isfinite(scores))} scores that are not finite"
        )
    else:
        return
    raise ValueError(
        "`model` must return scores of shape (batch, num_classes), with 2 or "
        "more classes, which `argmax` turns into a class. "
        f"Received: {received} for {num_images} images"
    )


def checked_pseudo_labels(labels, num_images):
    """Pseudo-labels as an array, or `None`.

    Args:
        labels: What should be an int array `(num_images,)`, -1 where there is
            no label, or `None`.
        num_images: Int.

    Raises:
        ValueError: If it is no such array, or no image has a label.
    """
    if labels is None:
        return None
    labels = as_array(labels, "pseudo_labels")
    is_labels = labels.shape == (num_images,) and labels.dtype.kind == "i"
    if not is_labels or (labels < -1).any():
        raise ValueError(
            "`pseudo_labels` must be an int array with a class per image, -1 "
            f"where there is none. Received: shape={labels.shape}, "
            f"dtype={labels.dtype}, for {num_images} images"
        )
    if (labels < 0).all():
        raise ValueError(
            "There must be a pseudo-label to look at. Received: "
            f"pseudo_labels={labels[:5]}..., all of them -1"
        )
    return labels
