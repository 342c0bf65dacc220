"""Results of functions that measure or find something."""

import json

from keras_fewlabels.foundation.files.atomic_write import (
    atomic_write,
    writable_folder,
    write_whole,
)


class Result:
    """Findings that can be printed, returned as a dict, drawn and saved.

    `print(result)` shows a table, `to_dict()` returns a dict that JSON can
    hold, `figure()` draws with matplotlib, and `save(folder)` writes the dict
    and the figure.

    A subclass defines `__str__`, `to_dict` and, if there is something to draw,
    `figure`. Its class attribute `file_name` is the name of its files.
    """

    file_name = "result"

    def to_dict(self):
        """Returns the findings as a dict that JSON can hold."""
        raise AttributeError(f"{type(self).__name__} must define `to_dict`.")

    def figure(self):
        """Draws the findings.

        Returns:
            A `matplotlib.figure.Figure`, or `None` if there is nothing to
            draw.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        return None

    def save(self, folder, **options):
        """Writes the findings into a folder, over earlier ones.

        The folder gets `<file_name>.json` with the dict of `to_dict()`, and
        `<file_name>.png` with the figure of `figure()`.

        Args:
            folder: String or path, which is created if it does not exist.
            **options: Arguments of `figure`.

        Raises:
            OSError: If the folder cannot be written to.
            ImportError: If matplotlib is not installed. The JSON file is
                written all the same.
        """
        try:
            figure = self.figure(**options)
        except ImportError:
            self._write_json(writable_folder(folder))
            raise
        folder = writable_folder(folder)
        self._write_tables(folder, **options)
        self._write_json(folder)
        save_figure(figure, folder / f"{self.file_name}.png")

    def _write_json(self, folder):
        content = as_json(self.to_dict())
        write_whole(folder / f"{self.file_name}.json", content)

    def _write_tables(self, folder, **options):
        """Writes the further files of a subclass."""


def as_json(content):
    """Returns a dict as JSON, one line per entry.

    `json.dumps(..., indent=2)` takes a minute for the confusion matrix of
    5,000 classes, since each number gets a line of its own.

    Args:
        content: Dict of strings to what JSON can hold.

    Example:

    >>> print(as_json({"errors": [0.5, 0.25], "seed": 3}))
    {
    "errors": [0.5, 0.25],
    "seed": 3
    }
    """
    entries = (
        f"{json.dumps(name)}: {json.dumps(value)}"
        for name, value in content.items()
    )
    return "{\n" + ",\n".join(entries) + "\n}"


def save_figure(figure, path):
    """Writes a figure as PNG, or removes an earlier one if it is `None`."""
    if figure is None:
        path.unlink(missing_ok=True)
        return
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=120)
