import dataclasses

import numpy as np

from keras_fewlabels.data.review.image_table import write_image_table
from keras_fewlabels.foundation.text_table import (
    class_name,
    made_folder,
    text_table,
)
from keras_fewlabels.plots import contact_sheet


@dataclasses.dataclass(frozen=True)
class LabelProposals:
    """The images to label next, the most useful one first.

    `next_to_label` returns it. `print(proposals)` shows the reasons,
    `proposals.figure()` draws the images, `proposals.save(folder)` writes
    them and the file to fill in. All arrays have the shape `(count,)`.

    Args:
        indices: Int array, the numbers of the images.
        predicted: Int array, the likeliest class of each.
        uncertainty: Float array in 0 to 1; 1 if two classes are equally
            likely.
        distance: Float array, 1 minus the cosine to the nearest image that is
            labelled or ranks before; the larger, the less like these.
        class_need: Float array, how much its likely classes need labels; 1 is
            the mean of all classes.
        gain: Float array in 0 to 1, the share of all uncertainty that the
            image covers, beside those that rank before.
        images: Array of the images.
        rows: List of dicts of `index`, `path` and `hash`.
        class_names: Optional sequence of strings.

    Example:

    >>> proposals = keras_fewlabels.evaluation.LabelProposals(
    ...     indices=np.array([7]),
    ...     predicted=np.array([1]),
    ...     uncertainty=np.array([0.875]),
    ...     distance=np.array([0.5]),
    ...     class_need=np.array([1.25]),
    ...     gain=np.array([0.0625]),
    ...     images=np.zeros((1, 8, 8, 1), "uint8"),
    ...     rows=[],
    ...     class_names=["cat", "dog"],
    ... )
    >>> print(proposals)
    rank  image  looks like  uncertainty  distance  class need    gain
       1      7         dog         0.88      0.50        1.25   6.2 %
    """

    indices: np.ndarray
    predicted: np.ndarray
    uncertainty: np.ndarray
    distance: np.ndarray
    class_need: np.ndarray
    gain: np.ndarray
    images: np.ndarray
    rows: list
    class_names: list | None = None

    def to_dict(self):
        """Returns the ranking as a dict of lists, which JSON can hold."""
        columns = {
            "index": self.indices,
            "predicted": self.predicted,
            "uncertainty": self.uncertainty,
            "distance": self.distance,
            "class_need": self.class_need,
            "gain": self.gain,
        }
        return {name: column.tolist() for name, column in columns.items()}

    def figure(self, num_columns=10, value_range=None):
        """Draws the images in their order.

        Args:
            num_columns: Int, images per row.
            value_range: Pair of floats, the values of black and white.
                Defaults to `(0, 255)` for uint8; floats need it.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        captions = [
            f"#{place + 1}\n{self._name(place)}?"
            for place in range(len(self.indices))
        ]
        return contact_sheet(
            self.images,
            captions,
            "Label these next: rank, and what the model takes them for",
            num_columns,
            value_range,
        )

    def save(self, folder, value_range=None):
        """Writes the contact sheet and the file to fill in.

        - `contact_sheet.png`: the images, with their ranks.
        - `to_label.csv`: a row for each, with an empty column `label` and the
          reasons. Write names or numbers of classes into it;
          `data.read_new_labels` reads them. It is not written over one that
          somebody has begun to fill in.

        Args:
            folder: String or path, which is created if it does not exist.
            value_range: As for `figure`.

        Raises:
            ValueError: If the folder cannot be written, holds labels of an
                earlier proposal, or images of floats come without a range.
            ImportError: If matplotlib is not installed.
        """
        figure = self.figure(value_range=value_range)
        folder = made_folder(folder)
        write_image_table(
            folder / "to_label.csv", self._rows_to_fill_in(), keep="label"
        )
        figure.savefig(folder / "contact_sheet.png", dpi=120)

    def __str__(self):
        heads = ("rank", "image", "looks like", "uncertainty", "distance",
                 "class need", "gain")  # fmt: skip
        rows = [
            (
                place + 1,
                self.indices[place],
                self._name(place),
                f"{self.uncertainty[place]:.2f}",
                f"{self.distance[place]:.2f}",
                f"{self.class_need[place]:.2f}",
                f"{100 * self.gain[place]:5.1f} %",
            )
            for place in range(len(self.indices))
        ]
        return "\n".join(text_table(heads, rows))

    def _rows_to_fill_in(self):
        return [
            {
                "rank": place + 1,
                "label": "",
                "looks_like": self._name(place),
                "uncertainty": f"{self.uncertainty[place]:.4f}",
                "distance": f"{self.distance[place]:.4f}",
                "class_need": f"{self.class_need[place]:.4f}",
                "gain": f"{self.gain[place]:.4f}",
                **row,
            }
            for place, row in enumerate(self.rows)
        ]

    def _name(self, place):
        return class_name(self.predicted[place], self.class_names)
