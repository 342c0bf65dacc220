"""The grid of images that all figures with images are drawn by."""

import numpy as np

from keras_fewlabels.plots.figure import (
    PLAIN,
    new_figure,
    shown_lines,
    shown_name,
)

# In inches: the space around images, and the line height and the width of a
# letter per point of the font size.
_GAP, _LINE, _LETTER = 0.1, 0.0186, 0.0089


def image_grid(
    rows,
    value_range,
    *,
    captions=None,
    text_colors=None,
    frame_colors=None,
    row_titles=None,
    column_titles=None,
    title=None,
    side=0.9,
    font_size=7,
):
    """Draws rows of images with captions below.

    All images share one axes, whose unit is an inch, counted from the upper
    left. So a thousand images are drawn in a few seconds.

    Args:
        rows: List of rows, each a list of arrays of shape `(height, width,
            channels)` with 1 or 3 channels. An image is scaled to the cell of
            the first image.
        value_range: Pair of floats, the values of black and white. Values
            beyond are drawn as black or white.
        captions: Optional list of a string per image, of one or more lines.
        text_colors: Optional list of the colour of each caption.
        frame_colors: Optional list of the colour of a frame around each
            image, `None` for no frame.
        row_titles: Optional list of a string per row, left of it.
        column_titles: Optional list of a string per column, above it.
        title: Optional string, above all images.
        side: Float, the longer side of an image in inches.
        font_size: Float, in points, of captions and titles of rows and
            columns.

    Returns:
        A `matplotlib.figure.Figure` with one axes. Its `images` and `texts`
        are in the order of the images. Titles follow the captions.

    Raises:
        ValueError: If an image has another shape.
        ImportError: If matplotlib is not installed.
    """
    rows = [[_shades(image, value_range) for image in row] for row in rows]
    num_images = sum(map(len, rows))
    texts = {
        "captions": list(map(shown_lines, captions or [""] * num_images)),
        "row_titles": list(map(shown_name, row_titles or [])),
        "column_titles": list(map(shown_name, column_titles or [])),
        "title": shown_name(title or "", 120),
    }
    layout = _Layout(rows[0][0].shape, side, font_size, **texts)
    figure = new_figure(*layout.size(len(rows), max(map(len, rows))))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    text_colors = iter(text_colors or ["black"] * num_images)
    frame_colors = iter(frame_colors or [None] * num_images)
    unused_captions = iter(texts["captions"])
    for row_number, row in enumerate(rows):
        for column, image in enumerate(row):
            place = layout.place(row_number, column)
            _draw_image(axes, image, place, layout.cell, next(frame_colors))
            if captions:
                place = place[0], place[1] + layout.cell[1] + 0.03
                text, color = next(unused_captions), next(text_colors)
                _write(axes, place, text, font_size, color=color)
    _write_titles(axes, layout, font_size, texts)
    axes.set(xlim=(0, figure.get_figwidth()), ylim=(figure.get_figheight(), 0))
    axes.set_aspect("auto")
    return figure


def in_rows(images, num_columns):
    """Returns images as a list of rows, of which the last may be shorter."""
    return [
        images[first : first + num_columns]
        for first in range(0, len(images), num_columns)
    ]


def _shades(image, value_range):
    """Returns an image of three channels in 0 to 1."""
    image = np.asarray(image)
    if image.ndim != 3 or not image.size or image.shape[-1] not in (1, 3):
        raise ValueError(
            "Each image must have the shape (height, width, channels) with 1 "
            "or 3 channels. `images[..., None]` adds the axis of channels to "
            f"grey images. Received: shape={image.shape}"
        )
    low, high = value_range
    shades = (image.astype("float32") - low) / (high - low)
    # Three equal channels, since one would be drawn in the colours of a map.
    return np.broadcast_to(np.clip(shades, 0, 1), (*image.shape[:2], 3))


class _Layout:
    """The places of images, in inches from the upper left.

    Args:
        shape: Shape of the first image, with the axis of channels last.
        side: Float, the longer side of an image.
        font_size: Float, in points.
        captions: List of strings.
        row_titles: List of strings.
        column_titles: List of strings.
        title: String.

    Attributes:
        cell: Width and height of an image.
        title_width: Float, the width that the title needs.
    """

    def __init__(
        self, shape, side, font_size, captions, row_titles, column_titles, title
    ):
        line, letter = _LINE * font_size, _LETTER * font_size
        height, width = shape[:2]
        scale = side / max(height, width)
        self.cell = width * scale, height * scale
        widest_text = letter * _longest(captions + column_titles)
        num_lines = max(caption.count("\n") + 1 for caption in captions)
        below = num_lines * line + _GAP if any(captions) else 0
        self._step = (
            max(self.cell[0], widest_text) + _GAP,
            self.cell[1] + below + 0.5 * _GAP,
        )
        title_height = 0.29 if title else 0
        self._start = (
            _GAP + letter * _longest(row_titles),
            _GAP + title_height + (1.5 * line if column_titles else 0),
        )
        self.title_width = 0.075 * len(title)

    def place(self, row, column):
        return (
            self._start[0] + column * self._step[0],
            self._start[1] + row * self._step[1],
        )

    def size(self, num_rows, num_columns):
        width, height = self.place(num_rows, num_columns)
        return max(width, self.title_width), height


def _draw_image(axes, image, place, cell, color):
    scale = min(cell[0] / image.shape[1], cell[1] / image.shape[0])
    width, height = image.shape[1] * scale, image.shape[0] * scale
    left = place[0] + (cell[0] - width) / 2
    upper = place[1] + (cell[1] - height) / 2
    right, lower = left + width, upper + height
    axes.imshow(image, extent=(left, right, lower, upper))
    if color is not None:
        axes.plot(
            [left, right, right, left, left],
            [upper, upper, lower, lower, upper],
            color=color,
            linewidth=3,
        )


def _write_titles(axes, layout, font_size, texts):
    width, height = layout.cell
    for row, text in enumerate(texts["row_titles"]):
        left, upper = layout.place(row, 0)
        place = left - 0.5 * _GAP, upper + height / 2
        _write(axes, place, text, font_size, ha="right", va="center")
    for column, text in enumerate(texts["column_titles"]):
        left, upper = layout.place(0, column)
        place = left + width / 2, upper - 0.03
        _write(axes, place, text, font_size, ha="center", va="bottom")
    if texts["title"]:
        _write(axes, (_GAP, _GAP), texts["title"], font_size=10)


def _write(axes, place, text, font_size, va="top", **options):
    axes.text(
        *place,
        text,
        fontsize=font_size,
        va=va,
        linespacing=1.1,
        **PLAIN,
        **options,
    )


def _longest(texts):
    lines = [line for text in texts for line in text.split("\n")]
    return max(map(len, lines), default=0)
