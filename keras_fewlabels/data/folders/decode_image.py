"""An image file, decoded by Pillow into bytes that a model takes."""

import numpy as np

# What Pillow decodes by itself: others, such as EPS, start another program.
_FORMATS = (
    *("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM"),
    *("AVIF", "JPEG2000"),
)
COLOR_MODES = {"rgb": "RGB", "grayscale": "L"}


class UnusableImage(ValueError):
    """A file that gives no image.

    Args:
        kind: String, one of `SKIPPED`.
        detail: String, what Pillow or the system says.
    """

    def __init__(self, kind, detail=""):
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


def decode_image(path, color_mode="rgb"):
    """Reads an image file, the right way up and in the colours asked for.

    Whatever is turned (EXIF) is turned back. Of images with 16 bits the upper
    8 are taken, transparent ones are laid over white, and of several frames
    the first one counts.

    Args:
        path: String or path.
        color_mode: `"rgb"` or `"grayscale"`.

    Returns:
        A Pillow image of mode RGB or L, and a dict of what was converted: the
        kinds, with a string of details each.

    Raises:
        UnusableImage: If the file is no image, or a damaged one.
        ImportError: If Pillow is not installed.
    """
    module = _pillow()
    try:
        image = module.Image.open(path, formats=_formats(module.Image))
        converted = _what_it_is(image)
        image.load()
        _turn_upright(image, module.ImageOps)
        return _converted(image, color_mode, converted, module.Image)
    except UnusableImage:
        raise
    except module.UnidentifiedImageError as error:
        raise UnusableImage(*_no_image(path)) from error
    except module.Image.DecompressionBombError as error:
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
        crop_to_aspect_ratio: Boolean, whether to cut off what does not fit,
            on both sides alike, instead of squeezing the image.

    Returns:
        Uint8 array of shape `(height, width, channels)`.
    """
    height, width = image_size
    if image.size != (width, height):
        box = None
        if crop_to_aspect_ratio:
            # In whole pixels, as Keras has it.
            cut_width = min(image.width, image.height * width // height)
            cut_height = min(image.height, image.width * height // width)
            left = (image.width - cut_width) // 2
            top = (image.height - cut_height) // 2
            box = left, top, left + cut_width, top + cut_height
        bilinear = _pillow().Image.Resampling.BILINEAR
        image = image.resize((width, height), bilinear, box)
    return np.asarray(image).reshape(height, width, -1)


def _pillow():
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError as error:
        raise ImportError(
            "Image files are read by Pillow, which is not installed. Run "
            "`pip install keras-fewlabels[folders]`."
        ) from error
    return PIL


def _formats(image_module):
    image_module.init()
    return [name for name in _FORMATS if name in image_module.OPEN]


def _no_image(path):
    with open(path, "rb") as file:
        return ("no image",) if file.read(1) else ("empty",)


def _what_it_is(image):
    """What is seen of an image before it is decoded."""
    raw = str(image.tile)
    facts = {
        "grey": image.mode in ("1", "L", "LA", "La") or _is_deep(image),
        "palette": image.mode in ("P", "PA"),
        "CMYK": image.mode == "CMYK",
        # A 16-bit BMP has 5 or 6 bits per colour.
        "16 bits": _is_deep(image) or (";16" in raw and "BGR;16" not in raw),
        "transparent": image.has_transparency_data,
        # The second picture in the files of some cameras is a preview.
        "frames": image.format != "MPO" and getattr(image, "n_frames", 1) > 1,
    }
    return {kind: image.format for kind, is_so in facts.items() if is_so}


def _is_deep(image):
    return image.mode.startswith("I")


def _turn_upright(image, image_ops):
    try:
        image_ops.exif_transpose(image, in_place=True)
    except Exception:  # Unreadable notes of a camera cost no image.
        return


def _converted(image, color_mode, converted, image_module):
    if _is_deep(image):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise UnusableImage("unsupported", "32 bits per pixel")
        image = image_module.fromarray((values >> 8).astype("uint8"))
    if image.mode == "F":
        raise UnusableImage("unsupported", "floats, whose white is not known")
    if "transparent" in converted:
        image = image.convert("RGBA")
        white = image_module.new("RGBA", image.size, "white")
        image = image_module.alpha_composite(white, image)
    if color_mode == "grayscale":
        converted.pop("grey", None)
    return image.convert(COLOR_MODES[color_mode]), converted
