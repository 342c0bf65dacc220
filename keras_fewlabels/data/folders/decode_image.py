"""Decoding of image files by Pillow."""

import contextlib

import numpy as np

from keras_fewlabels.foundation import optional_import

# Formats that Pillow decodes by itself. For others, such as EPS, it starts
# another program.
_FORMATS = (
    *("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM"),
    *("AVIF", "JPEG2000"),
)
COLOR_MODES = {"rgb": "RGB", "grayscale": "L"}


class UnusableImage(ValueError):
    """An error for a file that cannot be used as an image.

    Args:
        kind: String, a key of `SKIPPED`.
        detail: String, the message of Pillow or of the system.
    """

    def __init__(self, kind, detail=""):
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


def decode_image(path, color_mode="rgb"):
    """Reads an image file, upright and with the channels of `color_mode`.

    The EXIF orientation is applied. Images with 16 bits keep the upper 8,
    transparent images are laid over white, and of several frames the first
    one is taken.

    Args:
        path: String or path.
        color_mode: `"rgb"` or `"grayscale"`.

    Returns:
        A Pillow image of mode RGB or L, and a dict of the conversions: keys
        of `USED` with a string of details each.

    Raises:
        UnusableImage: If the file is no image, or is damaged.
        ImportError: If Pillow is not installed.
    """
    pillow = optional_import("PIL.Image", "folders")
    try:
        image = pillow.open(path, formats=_formats(pillow))
        conversions = _conversions(image)
        image.load()
        _turn_upright(image)
        return _converted(image, color_mode, conversions, pillow)
    except UnusableImage:
        raise
    except pillow.UnidentifiedImageError as error:
        raise UnusableImage(*_no_image(path)) from error
    except pillow.DecompressionBombError as error:
        raise UnusableImage("unsupported", str(error)) from error
    except Exception as error:  # Broken files make decoders raise anything.
        if isinstance(error, OSError) and error.errno is not None:
            raise UnusableImage("unreadable", error.strerror) from error
        raise UnusableImage("damaged", str(error)) from error


def resize_image(image, image_size, crop_to_aspect_ratio=False):
    """Resizes as `keras.utils.load_img` does with "bilinear".

    Args:
        image: Pillow image.
        image_size: Pair of ints, height and width.
        crop_to_aspect_ratio: Boolean. If `True`, the longer side is cropped
            at both ends, otherwise the image is squeezed.

    Returns:
        Uint8 array of shape `(height, width, channels)`.
    """
    height, width = image_size
    if image.size != (width, height):
        box = None
        if crop_to_aspect_ratio:
            # Whole pixels, as in Keras.
            cut_width = min(image.width, image.height * width // height)
            cut_height = min(image.height, image.width * height // width)
            left = (image.width - cut_width) // 2
            top = (image.height - cut_height) // 2
            box = left, top, left + cut_width, top + cut_height
        pillow = optional_import("PIL.Image", "folders")
        bilinear = pillow.Resampling.BILINEAR
        image = image.resize((width, height), bilinear, box)
    return np.asarray(image).reshape(height, width, -1)


def _formats(pillow):
    pillow.init()
    return [name for name in _FORMATS if name in pillow.OPEN]


def _no_image(path):
    with open(path, "rb") as file:
        return ("no image",) if file.read(1) else ("empty",)


def _conversions(image):
    """Returns the conversions that an image needs, before it is decoded."""
    raw = str(image.tile)
    is_needed = {
        "grey": image.mode in ("1", "L", "LA", "La") or _is_deep(image),
        "palette": image.mode in ("P", "PA"),
        "CMYK": image.mode == "CMYK",
        # A 16-bit BMP has 5 or 6 bits per colour.
        "16 bits": _is_deep(image) or (";16" in raw and "BGR;16" not in raw),
        "transparent": image.has_transparency_data,
        # The second picture in the files of some cameras is a preview.
        "frames": image.format != "MPO" and getattr(image, "n_frames", 1) > 1,
    }
    return {kind: image.format for kind, needed in is_needed.items() if needed}


def _is_deep(image):
    return image.mode.startswith("I")


def _turn_upright(image):
    operations = optional_import("PIL.ImageOps", "folders")
    # Cameras write invalid EXIF data, without which the image can be used.
    with contextlib.suppress(Exception):
        operations.exif_transpose(image, in_place=True)


def _converted(image, color_mode, conversions, pillow):
    if _is_deep(image):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise UnusableImage("unsupported", "32 bits per pixel")
        image = pillow.fromarray((values >> 8).astype("uint8"))
    if image.mode == "F":
        raise UnusableImage("unsupported", "floats, whose white is not known")
    if "transparent" in conversions:
        image = image.convert("RGBA")
        white = pillow.new("RGBA", image.size, "white")
        image = pillow.alpha_composite(white, image)
    if color_mode == "grayscale":
        conversions.pop("grey", None)
    return image.convert(COLOR_MODES[color_mode]), conversions
