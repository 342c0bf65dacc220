import os

import keras
import numpy as np

from keras_fewlabels.data.folders.decode_image import (
    UnusableImage,
    decode_image,
    resize_image,
)
from keras_fewlabels.foundation import check_int
from keras_fewlabels.models.standalone.class_names_of import class_names_of

# Numbers of channels and the color modes of `decode_image`.
_COLOR_MODES = {1: "grayscale", 3: "rgb"}


def predict_image(model, image, *, top=3):
    """Returns the likeliest classes of one image, by name.

    Files are read as `data.ImageFiles` reads them: turned upright, in the
    colours that the model takes, and resized with every pixel counted.

    Args:
        model: What `models.standalone` returned, or what
            `keras.saving.load_model` made of its file.
        image: Path of an image file, which needs Pillow; or an array of shape
            `(height, width, channels)` with values from 0 to 255.
        top: Int, the largest number of classes to return.

    Returns:
        List of pairs of a class name and its probability, a float; the
        likeliest first.

    Raises:
        ValueError: If the model has no class names, the array has another
            shape, or the file is not an image of the model's channels.
        FileNotFoundError: If there is no file at the path.
        ImportError: If a path is given and Pillow is not installed.

    Example:

    >>> classifier = keras.Sequential(
    ...     [
    ...         keras.Input((8, 8, 1)),
    ...         keras.layers.GlobalAveragePooling2D(),
    ...         keras.layers.Dense(2, kernel_initializer="ones"),
    ...     ]
    ... )
    >>> model = keras_fewlabels.models.standalone(
    ...     classifier, ["cat", "dog"], image_size=(8, 8), value_range=(0, 1)
    ... )
    >>> photo = np.zeros((90, 60, 1), "uint8")
    >>> keras_fewlabels.models.predict_image(model, photo)
    [('cat', 0.5), ('dog', 0.5)]
    """
    check_int(top, "top")
    names = class_names_of(model)
    channels = model.input_shape[-1]
    if isinstance(image, str | bytes | os.PathLike):
        path = os.path.expanduser(os.fsdecode(image))
        image = _read(path, channels, _size_inside(model))
    shape = getattr(image, "shape", ())
    if len(shape) != 3 or shape[-1] != channels:
        raise ValueError(
            "`image` must be the path of a file, or an array of shape "
            f"(height, width, {channels}). Received: shape={tuple(shape)}"
        )
    probabilities = model.predict(np.asarray(image)[None], verbose=0)[0]
    likeliest = np.argsort(-probabilities, kind="stable")[:top]
    return [(names[i], float(probabilities[i])) for i in likeliest]


def _size_inside(model):
    """Returns the size to which a model resizes images, or `None`."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Resizing):
            return layer.height, layer.width
    return None


def _read(path, channels, size):
    if not os.path.exists(path):
        raise FileNotFoundError(
            "`image` must be the path of a file that exists. "
            f"Received: image={path!r}"
        )
    if channels not in _COLOR_MODES:
        raise ValueError(
            f"Images of {channels} channels are not read from files. Pass an "
            f"array as `image`. Received: image={path!r}"
        )
    try:
        # As `ImageFiles`, from which the model has learned.
        pixels, _ = decode_image(
            path, _COLOR_MODES[channels], max(size) if size else None
        )
    except UnusableImage as error:
        raise ValueError(
            "`image` must be the path of an image file. "
            f"Received: image={path!r} ({error})"
        ) from error
    return resize_image(pixels, size or (pixels.height, pixels.width))
