"""Tables of text, and names of classes in them."""


def text_table(heads, rows):
    """Returns a table as lines, each column as wide as its widest text.

    Args:
        heads: Sequence of strings.
        rows: List of sequences with a value per head.

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
    """Returns the name of a class, or its number if there are no names."""
    return str(number) if class_names is None else str(class_names[number])


def check_class_names(class_names, num_classes):
    """Checks that there is one name per class, or `None`."""
    if class_names is not None and (
        isinstance(class_names, str) or len(class_names) != num_classes
    ):
        raise ValueError(
            f"`class_names` must name each of the {num_classes} classes. "
            f"Received: class_names={class_names!r}"
        )
