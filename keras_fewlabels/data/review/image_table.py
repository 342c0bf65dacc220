"""CSV files with a row per image, which people edit."""

import collections
import hashlib
import math
import pathlib
import re

import numpy as np

from keras_fewlabels.foundation import (
    csv_text,
    printable,
    read_csv,
    write_whole,
)

# The columns that identify the image of a row.
_KEYS = ("index", "path", "hash")
# Spreadsheets change digits, also with an "e" among them, but not a word.
_HASH = re.compile(r"h?([0-9a-f]{16})")
_TABLE = (
    "a CSV file in UTF-8 with a row per image and the columns that `save()` "
    "of the report wrote"
)


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
        {"index": int(index), "path": path, "hash": f"h{digest}"}
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
        num_filled = sum(bool(each.strip()) for each in filled)
        if num_filled:
            raise ValueError(
                f"{str(file)!r} must not be written over: somebody has filled "
                "it in. Use it, then remove it, or give another folder. "
                f"Received: {len(filled)} rows, {num_filled} of them with an "
                f"entry in the column {keep!r}"
            )
    columns = list(rows[0])
    cells = ([row[column] for column in columns] for row in rows)
    write_whole(file, csv_text(columns, cells))


def read_image_table(file, column, argument):
    """Reads a file of `write_image_table`, which may have been edited.

    Args:
        file: String or path of a CSV file.
        column: String, the name of a column that the file must have beside
            those of `image_rows`.
        argument: String, the name of the argument in errors.

    Returns:
        List of dicts of strings.

    Raises:
        ValueError: If the file does not exist, is no CSV file, or lacks a
            column.
    """
    return read_csv(file, (*_KEYS, column), argument, _TABLE)


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
        ValueError: If none of the images is in `source`, or a program has
            changed a hash that is needed.
    """
    if not rows:
        return np.zeros(0, "int64")
    indices = _by_path(rows, source)
    if indices is None:
        indices = _by_hash(rows, source, file)
    if (indices < 0).all():
        raise ValueError(
            f"{file} must be about these images, but none of its {len(rows)} "
            "images is among them. Pass the images unchanged, in the same "
            "size and dtype and from the same folder. Received: "
            f"{len(source)} images without "
            f"{(rows[0]['path'] or 'image ' + rows[0]['index'])[:99]}"
        )
    return indices


def one_answer_each(indices, answers, file):
    """Checks that no image of a table has two answers.

    Args:
        indices: Int array, the image of each row.
        answers: Sequence of strings, the answer in each row.
        file: String, the name of the table in the error.

    Raises:
        ValueError: If two rows of an image differ.
    """
    first = {}
    for index, answer in zip(map(int, indices), answers, strict=True):
        if first.setdefault(index, answer) != answer:
            raise ValueError(
                f"{file} must have one answer per image. Remove all rows of "
                f"the image but one. Received: {first[index]!r} and "
                f"{answer!r} for image {index}"
            )


def _by_path(rows, source):
    if source.paths is None or not all(row["path"] for row in rows):
        return None
    # As they are written.
    paths = map(printable, source.paths)
    indices = {path: index for index, path in enumerate(paths)}
    return np.array(
        [indices.get(printable(row["path"]), -1) for row in rows], "int64"
    )


def _by_hash(rows, source, file):
    indices = np.full(len(rows), -1, "int64")
    # Images mostly are where they were, and no others have to be read.
    places = [_place(row["index"], len(source)) for row in rows]
    here = [n for n, place in enumerate(places) if place is not None]
    if here:
        old = np.array([places[n] for n in here])
        for n, place, image in zip(here, old, source.take(old), strict=True):
            if _is_same_hash(rows[n]["hash"], image_hash(image)):
                indices[n] = place
    lost = np.flatnonzero(indices < 0)
    if len(lost):
        _find_moved(rows, lost, indices, source, file)
    return indices


def _find_moved(rows, lost, indices, source, file):
    """Fills in the indices of images that are not where they were."""
    wanted = collections.defaultdict(list)
    for n in lost:
        match = _HASH.fullmatch(rows[n]["hash"].strip().lower())
        if match is None:
            raise ValueError(
                f"{file} must have the column `hash` as it was written. Let "
                "spreadsheets read the column as text. Received: "
                f"hash={rows[n]['hash'][:99]!r} of image "
                f"{rows[n]['index'][:99]!r}"
            )
        wanted[match[1]].append(n)
    used, start = set(indices[indices >= 0].tolist()), 0
    for piece in source.pieces(256):
        for index, image in enumerate(piece, start):
            waiting = wanted.get(image_hash(image))
            if waiting and index not in used:
                indices[waiting.pop(0)] = index
        start += len(piece)


def _place(index, length):
    """Returns a written index as an int, or `None` if it is none."""
    is_short = len(index) <= len(str(length))
    if is_short and index.isdecimal() and int(index) < length:
        return int(index)
    return None


def _is_same_hash(written, digits):
    """Compares a hash, of which a spreadsheet may have made a number."""
    written = written.strip().lower()
    if written.removeprefix("h") == digits:
        return True
    try:
        return math.isclose(float(written), float(digits), rel_tol=1e-4)
    except ValueError:
        return False
