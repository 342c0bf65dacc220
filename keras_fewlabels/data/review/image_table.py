"""CSV files with a row per image, which people edit."""

import csv
import hashlib
import io
import pathlib

import numpy as np

from keras_fewlabels.foundation import write_whole

# The columns that identify the image of a row.
_KEYS = ("index", "path", "hash")


def image_rows(source, indices, images):
    """Returns the columns by which `find_images` finds images again.

    Args:
        source: `ImageSource`.
        indices: Int array of shape `(count,)`.
        images: Array of these images.

    Returns:
        List of dicts of `index`, `path` (empty where there is none) and
        `hash`.
    """
    paths = [""] * len(indices)
    if source.paths is not None:
        paths = [source.paths[index] for index in indices]
    hashes = map(image_hash, images)
    return [
        {"index": int(index), "path": path, "hash": digest}
        for index, path, digest in zip(indices, paths, hashes, strict=True)
    ]


def image_hash(image):
    """Returns a string of 16 digits that differs from those of other images.

    Args:
        image: Array of shape `(height, width, channels)`.
    """
    image = np.ascontiguousarray(image)
    digest = hashlib.blake2b(f"{image.dtype}{image.shape}".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()[:16]


def write_image_table(file, rows, keep=None):
    """Writes rows as CSV, a line per image.

    Args:
        file: String or path.
        rows: List of dicts with the same keys, one or more.
        keep: Optional string, the name of a column that people fill in. A
            file with an entry in that column is not written over.

    Raises:
        ValueError: If there is a file with an entry in the column `keep`.
        OSError: If the file cannot be written.
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
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_whole(file, text.getvalue())


def read_image_table(file, column, argument):
    """Reads a file of `write_image_table`, which may have been edited.

    Args:
        file: String or path of a CSV file with commas or semicolons.
        column: String, the name of a column that the file must have beside
            those of `image_rows`.
        argument: String, the name of the argument in errors.

    Returns:
        List of dicts of strings.

    Raises:
        ValueError: If the file does not exist, is no text, or lacks a column.
    """
    try:
        # Spreadsheets write a byte order mark before the first column.
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


def find_images(rows, source, file):
    """Finds the images of a table among others.

    An image is known by its path, or by its hash where it has no path, so the
    images may come in another order.

    Args:
        rows: List of dicts of `index`, `path` and `hash`.
        source: `ImageSource`.
        file: String, the name of the table in errors.

    Returns:
        Int64 array with the index of the image of each row; -1 where the
        image is not in `source`.

    Raises:
        ValueError: If none of the images is in `source`.
    """
    if not rows:
        return np.zeros(0, "int64")
    indices = _by_path(rows, source)
    if indices is None:
        indices = _by_hash(rows, source)
    if (indices < 0).all():
        raise ValueError(
            f"{file} must be about these images, but none of its {len(rows)} "
            "images is among them. Pass the images unchanged, in the same "
            "size and dtype and from the same folder. Received: "
            f"{len(source)} images without "
            f"{rows[0]['path'] or 'image ' + rows[0]['index']}"
        )
    return indices


def _by_path(rows, source):
    if source.paths is None or not all(row["path"] for row in rows):
        return None
    indices = {path: index for index, path in enumerate(source.paths)}
    return np.array([indices.get(row["path"], -1) for row in rows], "int64")


def _by_hash(rows, source):
    hashes = [row["hash"] for row in rows]
    # Images mostly are where they were, and no others have to be read.
    old = [row["index"] for row in rows]
    if all(index.isdecimal() and int(index) < len(source) for index in old):
        old = np.array(old, "int64")
        if [image_hash(image) for image in source.take(old)] == hashes:
            return old
    indices, start = {}, 0
    for piece in source.pieces(256):
        for index, image in enumerate(piece, start):
            indices.setdefault(image_hash(image), index)
        start += len(piece)
    return np.array([indices.get(each, -1) for each in hashes], "int64")
