"""The page on which a person answers a question about each image."""

import base64
import hashlib
import html
import io
import json
import pathlib
import string

import numpy as np

from keras_fewlabels.data.review import write_image_table
from keras_fewlabels.foundation import (
    fingerprint,
    optional_import,
    printable,
    resolve_value_range,
    safe_cell,
    write_whole,
)

_FILES = pathlib.Path(__file__).parent / "page"
# Images of a smaller side are drawn with sharp edges, and kept without loss.
_SMALL = 48


def save_review(folder, rows, **page):
    """Writes a table to fill in, and the page on which that takes one key.

    Args:
        folder: Path of a folder that exists.
        rows: List of dicts, as for `review_page`. The first column is `rank`.
        **page: The other arguments of `review_page`. `file` is not written
            over if somebody has filled in its `column`.

    Raises:
        ValueError: If somebody has, or no range holds all values.
        OSError: If the folder cannot be written to.
        ImportError: If Pillow is not installed.
    """
    column = page["column"]
    table = [{"rank": row["rank"], column: "", **row} for row in rows]
    write_image_table(folder / page["file"], table, keep=column)
    write_whole(folder / "index.html", review_page(rows=rows, **page))


def review_page(
    *,
    title,
    question,
    file,
    column,
    answers,
    images,
    captions,
    groups,
    confidences,
    rows,
    value_range=None,
):
    """Returns a page on which images are answered by single keys.

    The page needs no other file and no network, and works from a disk. The
    answers survive a reload. Its table has the columns of `rows`, and can be
    read by `read_new_labels` or `read_veto`. Names become text in the page and
    can be neither markup nor script, which a content security policy ensures
    as well.

    Args:
        title: String.
        question: String, what is asked of each image.
        file: String, the name of the CSV file.
        column: String, the column of the answers.
        answers: List of pairs of strings: the name of an answer, and what it
            is in the table. A third string is its key; by default they are
            1 to 9 and then a to z. With more than 35 answers names are typed.
        images: Array of shape `(num_images, height, width, channels)`.
        captions: List of a string per image.
        groups: List of a string per image, by which images can be chosen.
        confidences: Array of floats in 0 to 1, likewise.
        rows: List of dicts, the further columns of the table. `path`, if it
            is not empty, is the file of the image, and `index` its number.
        value_range: Optional pair of floats, the values of black and white.

    Returns:
        String of HTML.

    Raises:
        ValueError: If no range holds all values of the images.
        ImportError: If Pillow is not installed.
    """
    images = np.asarray(images)
    is_small = max(images.shape[1:3]) < _SMALL
    low, high = resolve_value_range(value_range, images)
    items = [
        {
            "src": _picture(image, low, high, is_small),
            "name": printable(_name(row)),
            "caption": printable(caption),
            "group": printable(group),
            "confidence": float(confidence),
            "href": _link(row["path"]),
            "cells": [str(safe_cell(value)) for value in row.values()],
        }
        for image, caption, group, confidence, row in zip(
            images, captions, groups, confidences, rows, strict=True
        )
    ]
    data = {
        "key": f"keras_fewlabels {fingerprint(rows, answers, column)}",
        "file": file,
        "column": column,
        "columns": list(rows[0]),
        "answers": [
            {"name": printable(name), "cell": safe_cell(cell), "key": key}
            for name, cell, key in (
                answer if len(answer) == 3 else (*answer, "")
                for answer in answers
            )
        ],
        "small": is_small,
        "items": items,
    }
    style, script = _read("page.css"), _read("page.js")
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action "
        f"'none'; style-src {_hash(style)}; script-src {_hash(script)}"
    )
    return string.Template(_read("page.html")).substitute(
        title=html.escape(title),
        question=html.escape(question),
        file=html.escape(file),
        policy=policy,
        style=style,
        script=script,
        # An end tag in a name would end the data.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def _read(name):
    return (_FILES / name).read_text("utf-8")


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _picture(image, low, high, is_small):
    """Returns an image as the address of an embedded file."""
    pillow = optional_import("PIL.Image", "folders")
    shades = (image.astype("float32") - low) * (255 / (high - low))
    pixels = np.clip(np.rint(shades), 0, 255).astype("uint8")
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    file, kind = io.BytesIO(), "PNG" if is_small else "JPEG"
    pillow.fromarray(pixels).save(file, kind, quality=88)
    content = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{content}"


def _name(row):
    path = row["path"]
    return pathlib.PurePath(path).name if path else f"image {row['index']}"


def _link(path):
    return pathlib.Path(path).resolve().as_uri() if path else ""
