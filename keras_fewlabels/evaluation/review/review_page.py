"""The page on which a person answers a question about each image."""

import html
import pathlib
import string

import numpy as np

from keras_fewlabels.data.review import write_image_table
from keras_fewlabels.foundation import (
    embedded_image,
    file_link,
    fingerprint,
    image_name,
    is_small,
    printable,
    resolve_value_range,
    safe_cell,
    web_page_parts,
    write_whole,
)

_FOLDER = pathlib.Path(__file__).parent / "page"
# Names, what they are in the column `veto`, and keys.
VETO_ANSWERS = (("yes", "yes", "y"), ("no", "no", "n"), ("unsure", "", "u"))


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
    originals=None,
    facts="",
    labels=("Class", "Confidence"),
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
            Rows beyond the images are in the table only.
        value_range: Optional pair of floats, the values of black and white.
        originals: Optional dict of places to pairs of an image, which is
            shown beside that of the place, and its name.
        facts: String, a table of what is known of all images.
        labels: Pair of strings, the names of `groups` and `confidences`.

    Returns:
        String of HTML.

    Raises:
        ValueError: If no range holds all values of the images.
        ImportError: If Pillow is not installed.
    """
    images = np.asarray(images)
    value_range = resolve_value_range(value_range, images)
    shown = rows[: len(images)]
    items = [
        {
            "src": embedded_image(image, value_range),
            "name": printable(image_name(row["path"], row["index"])),
            "caption": printable(caption),
            "group": printable(group),
            "confidence": float(confidence),
            "href": file_link(row["path"]),
        }
        for image, caption, group, confidence, row in zip(
            images, captions, groups, confidences, shown, strict=True
        )
    ]
    for place, (image, name) in (originals or {}).items():
        src = embedded_image(image, value_range)
        items[place]["original"] = {"src": src, "name": printable(name)}
    data = {
        "key": f"keras_fewlabels {fingerprint(rows, answers, column)}",
        "file": file,
        "column": column,
        "columns": list(rows[0]),
        "rows": [[str(safe_cell(v)) for v in row.values()] for row in rows],
        "answers": [
            {"name": printable(name), "cell": safe_cell(cell), "key": key}
            for name, cell, key in (
                answer if len(answer) == 3 else (*answer, "")
                for answer in answers
            )
        ],
        "small": is_small(images.shape[1:]),
        "items": items,
    }
    page = string.Template((_FOLDER / "page.html").read_text("utf-8"))
    names = {"title": title, "question": question, "file": file, "facts": facts}
    names["group"], names["scale"] = labels
    return page.substitute(
        {name: html.escape(text) for name, text in names.items()},
        hides_facts="" if facts else " hidden",
        **web_page_parts(_FOLDER, data),
    )
