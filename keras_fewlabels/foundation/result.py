"""What functions return that find something out."""

import json

from keras_fewlabels.foundation.atomic_write import (
    atomic_write,
    writable_folder,
    write_whole,
)


class Result:
    """Findings that are printed, kept as a dict, drawn and saved.

    Every result of this package can do the same four things: `print(result)`
    shows a table, `to_dict()` returns what JSON can hold, `figure()` draws it
    with matplotlib, and `save(folder)` writes all of that.

    A subclass defines `__str__`, `to_dict` and, where there is something to
    draw, `figure`; and the class attribute `file_name`, which its files begin
    with.
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

    def save(self, folder):
        """Writes the findings into a folder, over earlier ones.

        The folder gets `<file_name>.json`, what `to_dict()` returns, and
        `<file_name>.png`, what `figure()` draws.

        Args:
            folder: String or path, which is created if it does not exist.

        Raises:
            OSError: If the folder cannot be written to.
            ImportError: If matplotlib is not installed. The JSON file is
                written all the same.
        """
        folder = writable_folder(folder)
        content = json.dumps(self.to_dict(), indent=2)
        write_whole(folder / f"{self.file_name}.json", content)
        save_figure(self.figure(), folder / f"{self.file_name}.png")


def save_figure(figure, path):
    """Writes a figure as PNG, or removes an earlier one if it is `None`."""
    if figure is None:
        path.unlink(missing_ok=True)
        return
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=120)
