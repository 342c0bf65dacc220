"""What reports print and write."""

import pathlib


def text_table(heads, rows):
    """Rows of texts as lines, each column as wide as its widest text.

    Args:
        heads: Sequence of strings.
        rows: List of sequences of values, as many as heads.

    Returns:
        List of strings of the same length.
    """
    cells = [list(map(str, row)) for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            text.rjust(width) for text, width in zip(row, widths, strict=True)
        )
        for row in cells
    ]


def class_name(number, class_names):
    """The name of a class, or its number where there are no names."""
    return str(number) if class_names is None else str(class_names[number])


def check_class_names(class_names, num_classes):
    """Refuses names that are not one per class."""
    if class_names is not None and (
        isinstance(class_names, str) or len(class_names) != num_classes
    ):
        raise ValueError(
            f"`class_names` must name each of the {num_classes} classes. "
            f"Received: class_names={class_names!r}"
        )


def made_folder(folder):
    """The path of a folder that is there and can be written to."""
    try:
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, TypeError) as error:
        raise ValueError(
            "`folder` must be one in which you may create files. "
            f"Received: folder={str(folder)!r} ({error})"
        ) from error
    return folder
