import numpy as np

from keras_fewlabels.plots.image_grid import image_grid

RIGHT, WRONG = "tab:blue", "tab:red"


def predictions(
    images, true, predicted, class_names=None, num_columns=5, value_range=None
):
    """Draws images with their true and predicted classes.

    Above each image stands its true class, below that what was predicted, in
    blue where it is right. What is wrong is red, says so, and has a red frame.

    Args:
        images: Array of shape `(batch, height, width, channels)` with 1 or 3
            channels, of uint8 or floats. All are drawn, so give a few.
        true: Integer labels of shape `(batch,)` or `(batch, 1)`, or one-hot
            ones of shape `(batch, num_classes)`.
        predicted: Labels as `true`, or probabilities of shape
            `(batch, num_classes)`, whose largest is drawn in percent.
        class_names: Optional sequence of strings, one per class.
        num_columns: Integer, how many images stand in a row.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8; other images need it.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("grid.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If images are no batch or have no known range, labels are
            not one per image, or a class has no name.
        ImportError: If matplotlib is not installed.

    Example:

    >>> images = np.zeros((2, 8, 8, 3), "uint8")
    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
    >>> figure = keras_fewlabels.plots.predictions(
    ...     images, [0, 1], probabilities, class_names=["cat", "dog"]
    ... )
    >>> print(figure.axes[1].get_title())
    dog
    wrong: cat 80 %
    """
    images = np.asarray(images)
    value_range = _value_range(images, value_range)
    true, _ = _labels("true", true, len(images))
    predicted, shares = _labels("predicted", predicted, len(images))
    names = _names(class_names, max(true.max(), predicted.max()))
    if not (isinstance(num_columns, int) and num_columns > 0):
        raise ValueError(
            "`num_columns` must be a whole number, 1 or more. "
            f"Received: num_columns={num_columns!r}"
        )
    num_columns = min(num_columns, len(images))
    missing = -len(images) % num_columns
    blank = np.full_like(images[:1], value_range[1])
    cells = np.concatenate([images, *missing * [blank]])
    rows = cells.reshape(-1, num_columns, *images.shape[1:])
    figure = image_grid(rows, value_range)
    panels = list(figure.axes)
    for index, share in enumerate(shares):
        _add_title(
            panels[index], names[true[index]], names[predicted[index]], share
        )
    for axes in panels[len(images) :]:
        axes.remove()
    _make_room(figure, images.shape, rows.shape)
    return figure


def _value_range(images, value_range):
    if images.ndim != 4 or not len(images):
        raise ValueError(
            "`images` must have the shape (batch, height, width, channels), "
            "with at least one image; `images[None]` makes a batch of one. "
            f"Received: shape={images.shape}"
        )
    if value_range is None and images.dtype != np.uint8:
        raise ValueError(
            "Images of other types than uint8 have no range of their own. "
            "Give the values of black and white, such as "
            f"`value_range=(0, 1)`. Received: images.dtype={images.dtype}"
        )
    return value_range or (0, 255)


def _labels(name, values, num_images):
    """Labels, and the share of each as text, if these are probabilities."""
    values = np.asarray(values)
    shares = num_images * [""]
    is_label = values.ndim == 1 or values.shape[1:] == (1,)
    if values.ndim not in (1, 2) or len(values) != num_images:
        raise ValueError(
            f"`{name}` must be {num_images} labels, or rows of a value per "
            f"class, one for each image. Received: shape={values.shape}"
        )
    if not is_label:
        if name == "predicted":
            shares = [f" {100 * row.max():.0f} %" for row in values]
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
    return values.astype(int), shares


def _names(class_names, largest):
    if class_names is None:
        return [str(number) for number in range(largest + 1)]
    if len(class_names) <= largest:
        raise ValueError(
            f"`class_names` must name each class, and there is a class "
            f"{largest}, counted from 0. Received: class_names={class_names}"
        )
    return [str(name) for name in class_names]


def _add_title(axes, true, predicted, share):
    is_right = true == predicted
    color = RIGHT if is_right else WRONG
    axes.set_title(
        f"{true}\n{'right' if is_right else 'wrong'}: {predicted}{share}",
        fontsize="small",
        color=color,
    )
    if not is_right:
        axes.spines[:].set(visible=True, color=color, linewidth=3)


def _make_room(figure, shape, rows_shape):
    # In inches; titles of two lines need more room than the grid gives them.
    titles = [axes.get_title() for axes in figure.axes]
    longest = max(len(line) for title in titles for line in title.split("\n"))
    width = max(1.6, 0.068 * longest)
    height = width * shape[1] / shape[2] + 0.45
    figure.set_size_inches(rows_shape[1] * width, rows_shape[0] * height)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06)
