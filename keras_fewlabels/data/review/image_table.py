"""Tables of images in files that people edit, and back."""

import csv
import pathlib

import numpy as np

from keras_fewlabels.data.sources.image_pool import image_hash

# What tells which image a row is about.
_KEYS = ("index", "path", "hash")


def image_rows(pool, numbers, images):
    """The columns by which `find_images` finds images again.

    Args:
        pool: `ImagePool`.
        numbers: Int array of shape `(count,)`.
        images: Array of these images.

    Returns:
        List of dicts of `index`, `path` (empty where there is none) and
        `hash`.
    """
    paths = [""] * len(numbers)
    if pool.paths is not None:
        paths = [pool.paths[number] for number in numbers]
    hashes = map(image_hash, images)
    return [
        {"index": int(number), "path": path, "hash": digest}
        for number, path, digest in zip(numbers, paths, hashes, strict=True)
    ]


def write_image_table(file, rows, keep=None):
    """Writes rows as CSV, a line per image.

    Args:
        file: String or path.
        rows: List of dicts with the same keys.
        keep: Optional string, a column: a file in which somebody has written
            something there is not written over.

    Raises:
        ValueError: If there is such a file.
    """
    if keep is not None and pathlib.Path(file).exists():
        filled = [row[keep] for row in read_image_table(file, keep, "file")]
        if any(each.strip() for each in filled):
            raise ValueError(
                f"{str(file)!r} must not be written over: somebody has filled "
                "it in. Read it with `data.read_new_labels`, then remove it, "
                f"or give another folder. Received: {len(filled)} rows with "
                f"{sum(bool(each.strip()) for each in filled)} labels"
            )
    with open(file, "w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_image_table(file, column, argument):
    """Reads what `write_image_table` wrote and somebody may have edited.

    Args:
        file: String or path of a CSV file; commas or semicolons divide it.
        column: String, the column there must be beside those of `image_rows`.
        argument: String, how the caller calls the file.

    Returns:
        List of dicts of strings.

    Raises:
        ValueError: If there is no such file, or a column is missing.
    """
    try:
        # Spreadsheets put a mark before the first column.
        text = pathlib.Path(file).read_text("utf-8-sig")
    except (OSError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"`{argument}` must be a CSV file, as `save()` of the report "
            f"writes it. Received: {argument}={str(file)!r} ({error})"
        ) from error
    lines = text.splitlines()
    delimiter = ";" if lines and ";" in lines[0] else ","
    rows = list(csv.DictReader(lines, delimiter=delimiter))
    missing = {*_KEYS, column} - set(rows[0] if rows else ())
    if missing:
        raise ValueError(
            f"`{argument}` must have a row per image, and the columns that "
            "`save()` of the report wrote. Received: "
            f"{str(file)!r} without {sorted(missing)}"
        )
    return rows


def find_images(rows, pool, file):
    """Where in a pool the images of a table are.

    A file is known by its path, another image by what it shows, so that a
    pool in another order is no other pool.

    Args:
        rows: List of dicts of `index`, `path` and `hash`.
        pool: `ImagePool`.
        file: String, what the table is called in errors.

    Returns:
        Int64 array, a number per row; -1 where the image is not in the pool.

    Raises:
        ValueError: If none of the images is in the pool.
    """
    if not rows:
        return np.zeros(0, "int64")
    known = _by_path(rows, pool)
    if known is None:
        known = _by_hash(rows, pool)
    if (known < 0).all():
        raise ValueError(
            f"{file} must be about images of this pool, but none of its "
            f"{len(rows)} images is among them. Give the images as they were, "
            "of the same size and dtype and from the same folder. Received: "
            f"a pool of {len(pool)} images without "
            f"{rows[0]['path'] or 'image ' + rows[0]['index']}"
        )
    return known


def _by_path(rows, pool):
    if pool.paths is None or not all(row["path"] for row in rows):
        return None
    places = {path: number for number, path in enumerate(pool.paths)}
    return np.array([places.get(row["path"], -1) for row in rows], "int64")


def _by_hash(rows, pool):
    wanted = [row["hash"] for row in rows]
    # Mostly all are where they were, and nothing else has to be read.
    indices = [row["index"] for row in rows]
    if all(each.isdecimal() and int(each) < len(pool) for each in indices):
        indices = np.array(indices, "int64")
        if [image_hash(image) for image in pool.take(indices)] == wanted:
            return indices
    places, first = {}, 0
    for piece in pool.pieces(256):
        for number, image in enumerate(piece):
            places.setdefault(image_hash(image), first + number)
        first += len(piece)
    return np.array([places.get(each, -1) for each in wanted], "int64")
