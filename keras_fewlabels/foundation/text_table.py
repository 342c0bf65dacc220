"""Tables of text, and names of classes and files in them."""

import unicodedata

import numpy as np

# They join letters and emoji of one name, and are no characters by themselves.
_JOINERS = "\u200c\u200d"


def printable(text):
    r"""Returns a text whose invisible characters are written as escapes.

    Names of classes and files may hold line breaks, control characters, marks
    that turn the direction of a line, and bytes that are not UTF-8. Written as
    escapes they do no harm in a terminal, a page or a plot, and names that
    differ look different. All other characters stay as they are.

    Args:
        text: String, or object that is converted to one.

    Returns:
        String of one line that every encoding of Unicode can hold.

    Example:

    >>> print(printable("two\nlines, a byte: \udce9, \u202e, é"))
    two\nlines, a byte: \xe9, \u202e, é
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(
        letter if _is_visible(letter) else _escape(letter) for letter in text
    )


def text_table(heads, rows, num_left=0):
    """Returns a table as lines, each column as wide as its widest text.

    Args:
        heads: Sequence of strings.
        rows: List of sequences with a value per head. They are shown by
            `printable`.
        num_left: Int. This number of columns stand at the left, the others at
            the right.

    Returns:
        List of strings without blanks at their ends.

    Example:

    >>> text_table(["class", "images"], [("cat", 1000)], num_left=1)
    ['class  images', 'cat      1000']
    """
    cells = [list(map(printable, row)) for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = [
            text.ljust(width) if number < num_left else text.rjust(width)
            for number, (text, width) in enumerate(
                zip(row, widths, strict=True)
            )
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def class_name(number, class_names):
    """Returns the name of a class, or its number if there are no names."""
    return str(number) if class_names is None else str(class_names[number])


def yes_and_no(class_names, num_labels):
    """Returns the names of both answers to each of several labels.

    Args:
        class_names: Sequence of strings, or `None`.
        num_labels: Int.

    Returns:
        List of strings, "no" to a label before "yes".
    """
    names = (class_name(number, class_names) for number in range(num_labels))
    return [answer for name in names for answer in (f"not {name}", name)]


def check_class_names(class_names, num_classes=None, *, at_least=False):
    """Checks that class names are a list of different texts.

    Args:
        class_names: Sequence of strings, one per class, or `None`, which
            passes.
        num_classes: Optional int, the number of classes.
        at_least: Boolean. If `True`, there may be more names than classes.

    Raises:
        ValueError: If there is not one name per class, two names are the
            same, or a name is empty.
    """
    if class_names is None:
        return
    is_list = hasattr(class_names, "__len__") and not isinstance(
        class_names, str | bytes | dict | set
    )
    too_few = is_list and len(class_names) < (num_classes or 0)
    too_many = is_list and len(class_names) > (num_classes or np.inf)
    if not is_list or too_few or (too_many and not at_least):
        all_of_them = "" if num_classes is None else f" {num_classes}"
        raise ValueError(
            f"`class_names` must name each of the{all_of_them} classes, in a "
            f"list. Received: class_names={class_names!r}"
        )
    names = list(map(str, class_names))
    if len(set(names)) < len(names) or "" in names:
        raise ValueError(
            "`class_names` must be different strings, none of them empty. "
            f"Received: class_names={class_names!r}"
        )


def _is_visible(letter):
    # The category of the spaces of all scripts is Zs.
    is_space = unicodedata.category(letter) == "Zs"
    return letter.isprintable() or is_space or letter in _JOINERS


def _escape(letter):
    if "\udc80" <= letter <= "\udcff":
        # Python reads bytes of file names that are not UTF-8 as such letters.
        return f"\\x{ord(letter) - 0xDC00:x}"
    return letter.encode("unicode_escape").decode()
