"""Views of images as cards with a caption, drawn by Pillow."""

import dataclasses

import numpy as np

# In pixels: small images are enlarged to this side; the bar for the caption,
# which is to be read in the width that TensorBoard gives to a picture.
_SIDE, _BAR, _FONT, _GAP = 64, 18, 14, 4
# The color of the bar, and the one it has if the caption is wrong.
_COLORS = {
    "plain": ("#455a64", "#c62828"),
    "counts": ("#2e7d32", "#c62828"),
    "held back": ("#8d8d8d", "#b56a6a"),
}


@dataclasses.dataclass(frozen=True)
class Card:
    """An image as it is, its view, and what is said of it.

    Args:
        image: uint8 array of shape `(height, width, 3)`.
        view: Array of the same shape.
        caption: String.
        kind: `"plain"`, `"counts"` or `"held back"`: the colour of the bar.
        is_wrong: Boolean, whether the caption is known to be wrong.
    """

    image: np.ndarray
    view: np.ndarray
    caption: str
    kind: str = "plain"
    is_wrong: bool = False


def view_cards(cards, num_columns=3):
    """Draws cards in rows.

    Args:
        cards: List of `Card`, at least one, of images of one size.
        num_columns: Int, how many are side by side.

    Returns:
        A `PIL.Image.Image` of three channels.

    Raises:
        ImportError: If Pillow is not installed.
    """
    Image = load_pillow()
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
        sheet.paste(_drawn(card, scale, Image), place)
    return sheet


def shades(images, value_range):
    """Images as uint8 arrays of three channels.

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


def load_pillow():
    """Returns `PIL.Image`, or says how to install it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Images are drawn by Pillow, which is not installed. Run "
            '`pip install "keras-fewlabels[tensorboard]"`.'
        ) from error
    return Image


def _drawn(card, scale, Image):
    from PIL import ImageDraw, ImageFont

    pair = np.concatenate([card.image, card.view], axis=1)
    pair = pair.repeat(scale, axis=0).repeat(scale, axis=1)
    drawn = Image.new(
        "RGB",
        (pair.shape[1], pair.shape[0] + _BAR),
        _COLORS[card.kind][card.is_wrong],
    )
    drawn.paste(Image.fromarray(pair), (0, 0))
    pen = ImageDraw.Draw(drawn)
    pen.font = ImageFont.load_default(_FONT)
    text = card.caption
    while pen.textlength(text) > drawn.width - 4:
        text = text[:-1]
    pen.text((2, pair.shape[0]), text, fill="white")
    return drawn
