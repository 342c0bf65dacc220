"""Decoding of image files by Pillow."""

import contextlib
import os
import threading

import numpy as np

from keras_fewlabels.foundation import (
    open_file,
    optional_import,
    printable,
)

# Formats that Pillow decodes by itself. For others, such as EPS, it starts
# another program.
_FORMATS = (
    *("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM"),
    *("AVIF", "JPEG2000"),
)
COLOR_MODES = {"rgb": "RGB", "grayscale": "L"}
# A pixel takes up to 12 bytes while it is decoded.
_MOST_PIXELS_AT_A_TIME = 2**26
# Pillow reads plain PPM, PPM of other than 256 levels and packed BMP in a
# loop of Python.
_MOST_SLOW_PIXELS = 2**18


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


def decode_image(path, color_mode="rgb", at_least=None):
    """Reads an image file, upright and with the channels of `color_mode`.

    The EXIF orientation is applied. Images with 16 bits keep the upper 8,
    transparent images are laid over white, and of several frames the first
    one is taken. Time and memory are bounded: images of more pixels than
    `PIL.Image.MAX_IMAGE_PIXELS` are refused, and large ones are not decoded
    at the same time.

    Args:
        path: String or path.
        color_mode: `"rgb"` or `"grayscale"`.
        at_least: Optional int, the pixels that a JPEG file must keep in both
            directions. If it has more, it is decoded at a half, a quarter or
            an eighth of its size, which takes a part of the time.

    Returns:
        A Pillow image of mode RGB or L, and a dict of the conversions: keys
        of `USED` with a string of details each.

    Raises:
        UnusableImage: If the file is no image, or is damaged.
        ImportError: If Pillow is not installed.
    """
    pillow = optional_import("PIL.Image", "folders")
    try:
        with open_file(path) as file:
            return _decoded(file, color_mode, at_least, pillow)
    except UnusableImage:
        raise
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        raise _too_large(pillow) from None
    except Exception as error:  # Broken files make decoders raise anything.
        if isinstance(error, OSError) and error.errno is not None:
            raise UnusableImage("unreadable", error.strerror) from error
        raise UnusableImage("damaged", printable(str(error))) from error


def _decoded(file, color_mode, at_least, pillow):
    try:
        image = pillow.open(file, formats=_formats(pillow))
    except pillow.UnidentifiedImageError as error:
        file.seek(0)
        kind = "no image" if file.read(1) else "empty"
        raise UnusableImage(kind) from error
    num_pixels = image.width * image.height
    if num_pixels > (pillow.MAX_IMAGE_PIXELS or num_pixels):
        raise _too_large(pillow)
    is_slow = any(tile[0] in pillow.DECODERS for tile in image.tile)
    if is_slow and num_pixels > _MOST_SLOW_PIXELS:
        raise UnusableImage(
            "unsupported",
            f"a form of {image.format} that takes minutes; save it as PNG",
        )
    with _DECODED.at_a_time(num_pixels):
        conversions = _conversions(image)
        if at_least is not None:
            image.draft(None, (at_least, at_least))
        image.load()
        _turn_upright(image)
        return _converted(image, color_mode, conversions, pillow)


def _too_large(pillow):
    return UnusableImage(
        "unsupported",
        f"more than {pillow.MAX_IMAGE_PIXELS:,} pixels; shrink it, or raise "
        "`PIL.Image.MAX_IMAGE_PIXELS`",
    )


class _Budget:
    """A number of pixels that all threads together decode at a time.

    An image that is larger by itself is decoded alone.

    Args:
        num_pixels: Int.
    """

    def __init__(self, num_pixels):
        self.num_pixels = num_pixels
        self.reset()
        if hasattr(os, "register_at_fork"):
            # A child process has none of the threads that would give back.
            os.register_at_fork(after_in_child=self.reset)

    def reset(self):
        self.num_free = self.num_pixels
        self._condition = threading.Condition()

    @contextlib.contextmanager
    def at_a_time(self, num_pixels):
        """Waits until there is room for an image."""
        num_pixels = min(num_pixels, self.num_pixels)
        condition = self._condition
        with condition:
            condition.wait_for(lambda: num_pixels <= self.num_free)
            self.num_free -= num_pixels
        try:
            yield
        finally:
            with condition:
                self.num_free += num_pixels
                condition.notify_all()


_DECODED = _Budget(_MOST_PIXELS_AT_A_TIME)


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
            cut_width = min(image.width, image.height * width // height) or 1
            cut_height = min(image.height, image.width * height // width) or 1
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
        # Counting all frames may take minutes.
        "frames": image.format != "MPO"
        and getattr(image, "is_animated", False),
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
        white.alpha_composite(image)
        image = white
    if color_mode == "grayscale":
        conversions.pop("grey", None)
    if image.mode != COLOR_MODES[color_mode]:  # Else it would be a copy.
        image = image.convert(COLOR_MODES[color_mode])
    return image, conversions
