import numpy as np

from keras_fewlabels.foundation import check_int, resolve_value_range
from keras_fewlabels.plots.figure import RIGHT, WRONG, shown_name
from keras_fewlabels.plots.image_grid import image_grid, in_rows


def predictions(
    images,
    true,
    predicted,
    class_names=None,
    *,
    num_columns=5,
    value_range=None,
):
    """Draws images with their true and predicted classes.

    Below each image are its true class and the predicted class, which is
    marked as right or wrong. Wrong predictions are red, and their images have
    a red frame.

    Args:
        images: Array of shape `(batch, height, width, channels)` with 1 or 3
            channels, of uint8 or floats. All of them are drawn.
        true: Integer labels of shape `(batch,)` or `(batch, 1)`, or one-hot
            labels of shape `(batch, num_classes)`.
        predicted: Labels as `true`, or probabilities of shape
            `(batch, num_classes)`, of which the largest is shown in percent;
            or those of one sigmoid unit, `(batch, 1)`.
        class_names: Optional sequence of strings, one per class.
        num_columns: Integer, the number of images in a row.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8, and for floats to the narrowest of
            `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all values.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("grid.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If images have another shape, no range holds all their
            values, labels are not one per image, or a class has no name.
        ImportError: If matplotlib is not installed.

    Example:

    >>> images = np.zeros((2, 8, 8, 3), "uint8")
    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
    >>> figure = keras_fewlabels.plots.predictions(
    ...     images, [0, 1], probabilities, class_names=["cat", "dog"]
    ... )
    >>> print(figure.axes[0].texts[1].get_text())
    dog
    wrong: cat, 80 %
    """
    images = np.asarray(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(
            "`images` must have the shape (batch, height, width, channels), "
            "with at least one image. `images[None]` makes a batch of one. "
            f"Received: shape={images.shape}"
        )
    value_range = resolve_value_range(value_range, images)
    true, _ = _labels_and_percentages("true", true, len(images))
    predicted, percentages = _labels_and_percentages(
        "predicted", predicted, len(images)
    )
    names = _names(class_names, max(true.max(), predicted.max()))
    check_int(num_columns, "num_columns")
    is_right = true == predicted
    captions = [
        f"{names[label]}\n{'right' if right else 'wrong'}: {names[guess]}{part}"
        for label, guess, right, part in zip(
            true, predicted, is_right, percentages, strict=True
        )
    ]
    return image_grid(
        in_rows(images, num_columns),
        value_range,
        captions=captions,
        text_colors=[RIGHT if right else WRONG for right in is_right],
        frame_colors=[None if right else WRONG for right in is_right],
        side=1.5,
        font_size=9,
    )


def _labels_and_percentages(name, values, num_images):
    """Returns labels, and the largest probability of each row as text."""
    values = np.asarray(values)
    percentages = num_images * [""]
    is_label = values.ndim == 1 or values.shape[1:] == (1,)
    if name == "predicted" and is_label and _are_of_one_sigmoid(values):
        second = values.reshape(-1, 1)
        values, is_label = np.hstack([1 - second, second]), False
    if values.ndim not in (1, 2) or len(values) != num_images:
        raise ValueError(
            f"`{name}` must be {num_images} labels, or rows of a value per "
            f"class, one for each image. Received: shape={values.shape}"
        )
    if not is_label and _have_several(values):
        raise ValueError(
            f"`{name}` must be of one class per image. Of several labels per "
            "image, draw one at a time, such as `labels[:, 0]`. Received: rows "
            "of 0 and 1 with several ones or none"
        )
    if not is_label:
        if name == "predicted":
            percentages = [f", {100 * row.max():.0f} %" for row in values]
        values = values.argmax(axis=-1)
    values = values.reshape(num_images)
    if (
        values.dtype.kind not in "biuf"
        or (values != np.floor(values)).any()
        or values.min() < 0
    ):
        raise ValueError(
            f"`{name}` must hold whole numbers from 0, or a row of a value "
            f"per class for each image. Received: {name}={values}"
        )
    return values.astype(int), percentages


def _are_of_one_sigmoid(values):
    is_float = values.dtype.kind == "f" and values.size > 0
    if not is_float or values.min() < 0 or values.max() > 1:
        return False
    return bool((values != np.floor(values)).any())


def _have_several(rows):
    return np.isin(rows, (0, 1)).all() and (rows.sum(axis=1) != 1).any()


def _names(class_names, largest):
    if class_names is None:
        return [str(number) for number in range(largest + 1)]
    if len(class_names) <= largest:
        raise ValueError(
            f"`class_names` must name each class, and there is a class "
            f"{largest}, counted from 0. Received: class_names={class_names}"
        )
    return [shown_name(name, 20) for name in class_names]
