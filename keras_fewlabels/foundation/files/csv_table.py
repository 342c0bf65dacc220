"""CSV files that spreadsheets open and people edit."""

import csv
import io
import re

from keras_fewlabels.foundation.files.read_file import read_text
from keras_fewlabels.foundation.text_table import printable

# What a spreadsheet takes for a formula, also behind blanks and in the wide
# form of East Asian keyboards.
_FORMULA = re.compile(r"[\s']*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_DELIMITERS = ",;\t"


def csv_text(columns, rows):
    """Returns a table as CSV, which a spreadsheet shows and does not execute.

    Text that a spreadsheet would execute as a formula begins with an
    apostrophe. Line breaks and characters that are not printed are escaped.
    `read_csv` and `printable` agree: it returns `printable(text)` of a cell.

    Args:
        columns: Sequence of strings, the heads.
        rows: Iterable of sequences with a value per column. Numbers are
            written as they are.

    Returns:
        String, with a line per row.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(safe_cell, columns))
    writer.writerows(map(safe_cell, row) for row in rows)
    return text.getvalue()


def read_csv(path, columns, argument, what):
    """Reads a file of `csv_text`, which may have been edited.

    Args:
        path: String or path of a CSV file. Cells may be separated by commas,
            semicolons or tabs.
        columns: Sequence of strings, the columns that the file must have. The
            others are read as well.
        argument: String, the name of the argument in errors.
        what: String, see `read_text`.

    Returns:
        List of dicts of strings. Cells that a row lacks are empty.

    Raises:
        ValueError: If the file does not exist, is not UTF-8 or not CSV, or
            lacks a column.
    """
    text = read_text(path, argument, what)
    head, *_ = text.splitlines() or [""]
    delimiter = max(_DELIMITERS, key=head.count)
    # A cell may be as long as the file.
    limit = csv.field_size_limit(max(len(text), 2**17))
    try:
        file = io.StringIO(text, newline="")
        lines = list(csv.reader(file, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValueError(
            f"`{argument}` must be {what}. "
            f"Received: {argument}={str(path)!r} ({error})"
        ) from error
    finally:
        csv.field_size_limit(limit)
    heads = [_cell(head).strip() for head in lines[0]] if lines else []
    for number, word in (0, "without"), (2, "with two of"):
        wrong = sorted(each for each in columns if heads.count(each) == number)
        if wrong:
            raise ValueError(
                f"`{argument}` must be {what}. "
                f"Received: {str(path)!r} {word} {wrong}"
            )
    empty = [""] * len(heads)
    return [
        dict(zip(heads, map(_cell, [*line, *empty]), strict=False))
        for line in lines[1:]
        if any(line)
    ]


def safe_cell(value):
    """Returns a value as a cell that a spreadsheet shows and does not run."""
    if not isinstance(value, str):
        return value
    value = printable(value)
    if _FORMULA.match(value) and not _is_number(value):
        return f"'{value}"
    return value


def _cell(text):
    is_escaped = text.startswith("'") and _FORMULA.match(text)
    return text[1:] if is_escaped and not _is_number(text[1:]) else text


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
