import numpy as np

from keras_fewlabels.plots.figure import new_figure

# In inches: the longer side of an image, and a line of text.
CELL, LINE, GAP = 0.9, 0.13, 0.1
# Images that a human looks at in one go.
MAX_IMAGES = 1000


def contact_sheet(
    images, captions, title=None, num_columns=10, value_range=None
):
    """Draws many images with a few words below each, in the order given.

    Args:
        images: Array of shape `(num_images, height, width, channels)` with 1
            or 3 channels, of uint8 or floats; 1,000 images at most.
        captions: Sequence of a string per image, of one or more lines.
        title: Optional string, above all of them.
        num_columns: Int, how many images stand in a row.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8; other images need it. Values beyond are
            drawn as black or white.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("sheet.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If images have another shape or no known range, or there
            is not one caption per image.
        ImportError: If matplotlib is not installed.

    Example:

    >>> images = np.zeros((3, 8, 8, 1), "uint8")
    >>> figure = keras_fewlabels.plots.contact_sheet(
    ...     images, ["cat", "dog?", "cat"], title="look at these"
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['cat', 'dog?', 'cat', 'look at these']
    """
    images, (low, high) = _checked(images, value_range)
    if isinstance(captions, str) or len(captions) != len(images):
        raise ValueError(
            "`captions` must hold one string per image. "
            f"Received: {len(captions)} captions for {len(images)} images"
        )
    if not (isinstance(num_columns, int) and num_columns > 0):
        raise ValueError(
            "`num_columns` must be a whole number, 1 or more. "
            f"Received: num_columns={num_columns!r}"
        )
    captions = list(map(str, captions))
    num_columns = min(num_columns, len(images))
    width, height, step, drop = _sizes(images, captions)
    num_rows = -(-len(images) // num_columns)
    top = GAP + 2.2 * LINE * bool(title)
    size = num_columns * step + GAP, top + num_rows * drop
    figure = new_figure(max(size[0], 0.075 * len(title or "")), size[1])
    figure.set_layout_engine("none")
    # One unit is an inch, counted from the upper left.
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for number, image in enumerate(images):
        row, column = divmod(number, num_columns)
        left, upper = GAP + column * step, top + row * drop
        shades = np.clip((image.astype("float32") - low) / (high - low), 0, 1)
        axes.imshow(
            np.broadcast_to(shades, (*shades.shape[:2], 3)),
            extent=(left, left + width, upper + height, upper),
        )
        axes.text(
            left,
            upper + height + 0.03,
            captions[number],
            fontsize=7,
            va="top",
            linespacing=1.1,
        )
    if title:
        axes.text(GAP, GAP, title, fontsize=10, va="top")
    axes.set(xlim=(0, figure.get_figwidth()), ylim=(size[1], 0))
    axes.set_aspect("auto")
    return figure


def _sizes(images, captions):
    """Width and height of an image, and from one to the next, in inches."""
    lines = [caption.split("\n") for caption in captions]
    height, width = images.shape[1:3]
    scale = CELL / max(height, width)
    width, height = width * scale, height * scale
    longest = max(len(line) for caption in lines for line in caption)
    most = max(map(len, lines))
    step = max(width, 0.062 * longest) + GAP
    return width, height, step, height + most * LINE + 1.5 * GAP


def _checked(images, value_range):
    images = np.asarray(images)
    is_images = images.ndim == 4 and images.shape[-1] in (1, 3)
    if not is_images or not 0 < len(images) <= MAX_IMAGES:
        raise ValueError(
            "`images` must have the shape (num_images, height, width, "
            f"channels), with 1 or 3 channels and 1 to {MAX_IMAGES:,} images. "
            f"Received: shape={images.shape}"
        )
    if value_range is None and images.dtype != np.uint8:
        raise ValueError(
            "Images of other types than uint8 have no range of their own. "
            "Give the values of black and white, such as "
            f"`value_range=(0, 1)`. Received: images.dtype={images.dtype}"
        )
    low, high = (0, 255) if value_range is None else value_range
    if not low < high:
        raise ValueError(
            "`value_range` must be the values of black and white, the lower "
            f"one first. Received: value_range={value_range!r}"
        )
    return images, (low, high)
