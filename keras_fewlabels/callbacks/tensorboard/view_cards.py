"""Views of images as cards with a caption.

Pillow draws them, and not `plots.contact_sheet`: TensorBoard needs Pillow
anyway and does not need matplotlib, pixels stay as they are, and a sheet takes
milliseconds in each epoch.
"""

import dataclasses

import numpy as np

from keras_fewlabels.foundation import optional_import, printable

# In pixels. Small images are enlarged to about this side.
_SIDE, _GAP = 64, 4
# The caption must be legible in the width that TensorBoard gives a picture.
_BAR, _FONT = 18, 14
# The colour of the bar if the caption is right or unknown, and if it is wrong.
_COLORS = {
    "plain": ("#455a64", "#c62828"),
    "counts": ("#2e7d32", "#c62828"),
    "held back": ("#8d8d8d", "#b56a6a"),
}


@dataclasses.dataclass(frozen=True)
class Card:
    """An image, an augmented view of it, and a caption.

    Args:
        image: uint8 array of shape `(height, width, 3)`.
        view: Array of the same shape.
        caption: String.
        kind: `"plain"`, `"counts"` or `"held back"`, which decides on the
            colour of the bar.
        is_wrong: Boolean. `True` if the caption is known to be wrong.
    """

    image: np.ndarray
    view: np.ndarray
    caption: str
    kind: str = "plain"
    is_wrong: bool = False


def view_cards(cards, num_columns=3):
    """Draws cards in rows.

    Args:
        cards: List of `Card`, at least one, with images of one size.
        num_columns: Int, the number of cards side by side.

    Returns:
        A `PIL.Image.Image` of three channels.

    Raises:
        ImportError: If Pillow is not installed.
    """
    Image = optional_import("PIL.Image", "tensorboard")
    height, width = cards[0].image.shape[:2]
    scale = max(1, round(_SIDE / max(height, width)))
    card_width, card_height = 2 * width * scale, height * scale + _BAR
    num_rows = -(-len(cards) // num_columns)
    num_columns = min(num_columns, len(cards))
    sheet = Image.new(
        "RGB",
        (
            num_columns * (card_width + _GAP) - _GAP,
            num_rows * (card_height + _GAP) - _GAP,
        ),
        "white",
    )
    for number, card in enumerate(cards):
        row, column = divmod(number, num_columns)
        place = column * (card_width + _GAP), row * (card_height + _GAP)
        sheet.paste(_draw(card, scale, Image), place)
    return sheet


def shades(images, value_range):
    """Returns images as uint8 arrays of three channels.

    Args:
        images: Array of shape `(num_images, height, width, channels)` with 1
            or 3 channels.
        value_range: Pair of floats, the values of black and white.

    Returns:
        uint8 array of shape `(num_images, height, width, 3)`.
    """
    low, high = value_range
    parts = (np.asarray(images, "float32") - low) / (high - low)
    levels = np.round(255 * np.clip(parts, 0, 1)).astype("uint8")
    return np.broadcast_to(levels, (*levels.shape[:3], 3))


def _draw(card, scale, Image):
    from PIL import ImageDraw, ImageFont

    pair = np.concatenate([card.image, card.view], axis=1)
    pair = pair.repeat(scale, axis=0).repeat(scale, axis=1)
    picture = Image.new(
        "RGB",
        (pair.shape[1], pair.shape[0] + _BAR),
        _COLORS[card.kind][card.is_wrong],
    )
    picture.paste(Image.fromarray(pair), (0, 0))
    pen = ImageDraw.Draw(picture)
    pen.font = ImageFont.load_default(_FONT)
    text = printable(card.caption)
    while pen.textlength(text) > picture.width - 4:
        text = text[:-1]
    pen.text((2, pair.shape[0]), text, fill="white")
    return picture
