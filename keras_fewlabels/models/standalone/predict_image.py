import os

import keras
import numpy as np

from keras_fewlabels.foundation.arguments import check_int
from keras_fewlabels.models.standalone.class_names_of import class_names_of


def predict_image(model, image, top=3):
    """The likeliest classes of one image, by name.

    Args:
        model: What `models.standalone` returned, or what
            `keras.saving.load_model` made of its file.
        image: Path of an image file, which needs Pillow; or an array of shape
            `(height, width, channels)` with values from 0 to 255.
        top: Int, how many classes at most.

    Returns:
        List of pairs of a class name and its probability, a float; the
        likeliest first.

    Raises:
        ValueError: If the model has no class names, or the image is none.
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
    if isinstance(image, (str, os.PathLike)):
        image = _read(image, channels)
    shape = getattr(image, "shape", ())
    if len(shape) != 3 or shape[-1] != channels:
        raise ValueError(
            "`image` must be the path of a file, or an array of shape "
            f"(height, width, {channels}). Received: shape={tuple(shape)}"
        )
    probabilities = model.predict(np.asarray(image)[None], verbose=0)[0]
    likeliest = np.argsort(-probabilities, kind="stable")[:top]
    return [(names[i], float(probabilities[i])) for i in likeliest]


def _read(path, channels):
    modes = {1: "grayscale", 3: "rgb", 4: "rgba"}
    return keras.utils.img_to_array(
        keras.utils.load_img(path, color_mode=modes.get(channels, "rgb"))
    )
