"""Pages for a browser that need no other file and no network."""

import base64
import hashlib
import io
import json
import pathlib

import numpy as np

from keras_fewlabels.foundation.optional_import import optional_import

_HERE = pathlib.Path(__file__).parent
# Images of a smaller side are drawn with sharp edges, and kept without loss.
_SMALL = 48


def web_page_parts(folder, data):
    r"""Returns the parts of a page, which allows no other style and script.

    Args:
        folder: Path of the folder of `page.css` and `page.js`, which follow
            those of all pages.
        data: Dict that JSON can hold. Its strings can be neither markup nor
            script.

    Returns:
        Dict of strings: `policy`, a content security policy for a `meta`
        element; `style` and `script`, the content of these elements; and
        `data`, that of the script of type `application/json` and the id
        `data`.

    Example:

    >>> from keras_fewlabels.foundation.files import web_page
    >>> parts = web_page.web_page_parts(web_page._HERE, {"name": "</script>"})
    >>> parts["data"]
    '{"name": "\\u003c/script>"}'
    """
    style, script = (
        (_HERE / f"web_page.{kind}").read_text("utf-8") + _read(folder, kind)
        for kind in ("css", "js")
    )
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action "
        f"'none'; style-src {_hash(style)}; script-src {_hash(script)}"
    )
    return {
        "policy": policy,
        "style": style,
        "script": script,
        # An end tag in a name would end the data.
        "data": json.dumps(data).replace("<", "\\u003c"),
    }


def embedded_image(image, value_range, side=None):
    """Returns an image as an address that holds it.

    Args:
        image: Array of shape `(height, width, 1)` or `(height, width, 3)`.
        value_range: Pair of numbers, the values of black and white.
        side: Optional int. Larger images are shrunk to it.

    Returns:
        String, a PNG of small images and a JPEG of others.

    Raises:
        ImportError: If Pillow is not installed.
    """
    pillow = optional_import("PIL.Image", "folders")
    low, high = value_range
    shades = (image.astype("float32") - low) * (255 / (high - low))
    pixels = np.clip(np.rint(shades), 0, 255).astype("uint8")
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    picture = pillow.fromarray(pixels)
    if side is not None:
        picture.thumbnail((side, side))
    file, kind = io.BytesIO(), "PNG" if is_small(image.shape) else "JPEG"
    picture.save(file, kind, quality=88)
    content = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{content}"


def is_small(shape):
    """Returns whether a page draws images of a shape with sharp edges."""
    return max(shape[:2]) < _SMALL


def image_name(path, index):
    """Returns the name of a file, or the number of an image without one."""
    return pathlib.PurePath(path).name if path else f"image {index}"


def file_link(path):
    """Returns the address of a file on this disk, or `""` without a path."""
    return pathlib.Path(path).resolve().as_uri() if path else ""


def _read(folder, kind):
    file = pathlib.Path(folder) / f"page.{kind}"
    return file.read_text("utf-8") if file.exists() else ""


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
