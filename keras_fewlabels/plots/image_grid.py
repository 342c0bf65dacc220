import numpy as np

from keras_fewlabels.plots.figure import new_figure


def image_grid(
    images, value_range=(0, 255), row_titles=None, column_titles=None
):
    """Draws images in rows and columns.

    Args:
        images: Array of shape `(rows, columns, height, width, channels)` with
            1 or 3 channels, in `value_range`; or a list of rows, each a list
            of arrays of shape `(height, width, channels)` of any sizes.
        value_range: Pair of floats, the values of black and white. Values
            beyond are drawn as black or white.
        row_titles: Optional sequence of strings, left of each row.
        column_titles: Optional sequence of strings, above each column.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("grid.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If images have another shape, rows differ in length, or
            there are not as many titles as rows or columns.
        ImportError: If matplotlib is not installed.

    Example:

    >>> images = np.random.default_rng(0).random((2, 3, 8, 8, 1))
    >>> figure = keras_fewlabels.plots.image_grid(
    ...     images, value_range=(0, 1), row_titles=["cat", "dog"]
    ... )
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['cat', '', '', 'dog', '', '']
    """
    low, high = _checked_range(value_range)
    rows = [[_shades(image, low, high) for image in row] for row in images]
    num_rows, num_columns = len(rows), len(rows[0]) if rows else 0
    if not num_columns or any(len(row) != num_columns for row in rows):
        raise ValueError(
            "`images` must be rows of equally many images, at least one. "
            f"Received: rows of {[len(row) for row in rows]} images"
        )
    _check_titles("row_titles", row_titles, num_rows)
    _check_titles("column_titles", column_titles, num_columns)
    # In inches: the longer side of the first image, and room for titles.
    height, width, _ = rows[0][0].shape
    cell = 1.1 / max(height, width)
    figure = new_figure(
        num_columns * width * cell + bool(row_titles),
        num_rows * height * cell + 0.3 * bool(column_titles),
    )
    figure.set_layout_engine(
        "compressed", w_pad=0.02, h_pad=0.02, wspace=0, hspace=0
    )
    grid = figure.subplots(num_rows, num_columns, squeeze=False)
    for cells, row in zip(grid, rows, strict=True):
        for axes, image in zip(cells, row, strict=True):
            axes.imshow(image)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
    for axes, title in zip(grid[:, 0], row_titles or (), strict=False):
        axes.set_ylabel(
            title, fontsize="small", rotation=0, ha="right", va="center"
        )
    for axes, title in zip(grid[0], column_titles or (), strict=False):
        axes.set_title(title, fontsize="small")
    return figure


def _checked_range(value_range):
    try:
        low, high = map(float, value_range)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not low < high:
        raise ValueError(
            "`value_range` must be the values of black and white, the lower "
            f"one first. Received: value_range={value_range!r}"
        )
    return low, high


def _shades(image, low, high):
    """An image of three channels in 0..1, which needs no colour map."""
    image = np.asarray(image)
    if image.ndim != 3 or not image.size or image.shape[-1] not in (1, 3):
        raise ValueError(
            "Each image must have the shape (height, width, channels) with 1 "
            "or 3 channels; `images[..., None]` adds the channel to images "
            f"without one. Received: shape={image.shape}"
        )
    shades = (image.astype("float32") - low) / (high - low)
    return np.broadcast_to(np.clip(shades, 0, 1), (*image.shape[:2], 3))


def _check_titles(name, titles, expected):
    if titles is not None and len(titles) != expected:
        raise ValueError(
            f"`{name}` must hold {expected} titles, one for each "
            f"{name.partition('_')[0]}. Received: {name}={titles}"
        )
