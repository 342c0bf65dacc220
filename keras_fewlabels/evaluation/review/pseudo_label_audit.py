import dataclasses

import numpy as np

from keras_fewlabels.data.review.image_table import write_image_table
from keras_fewlabels.foundation.text_table import (
    class_name,
    made_folder,
    text_table,
)
from keras_fewlabels.plots import contact_sheet

_NUM_PRINTED = 10


@dataclasses.dataclass(frozen=True)
class PseudoLabelAudit:
    """Pseudo-labels, ranked by how likely they are wrong.

    `audit_pseudo_labels` returns it. `print(audit)` shows the first ten,
    `audit.figure()` draws the first images, `audit.save(folder)` writes them
    and the veto file. All arrays are in the order of the ranking, and have
    the shape `(num_labels,)`.

    Args:
        indices: Int array, the numbers of the images.
        labels: Int array, their pseudo-labels.
        confidence: Float array, the probability the model gives the label.
        agreement: Float array in 0 to 1, the share of their probability that
            the nearest neighbours give the label.
        neighbor_labels: Int array, the class that these favour.
        flip_rate: Float array in 0 to 1, in how many of the rounds the label
            was another one than before; 0 without a history.
        images: Array of the first images.
        rows: List of dicts of `index`, `path` and `hash` of these.
        class_names: Optional sequence of strings.

    Attributes:
        scores: Float array in 0 to 1, the ranking: 0 if all neighbours agree
            and the label never flipped.
        is_outvoted: Boolean array, where neighbours favour another class.

    Example:

    >>> audit = keras_fewlabels.evaluation.PseudoLabelAudit(
    ...     indices=np.array([7, 2]),
    ...     labels=np.array([1, 0]),
    ...     confidence=np.array([0.99, 0.9]),
    ...     agreement=np.array([0.25, 1.0]),
    ...     neighbor_labels=np.array([0, 0]),
    ...     flip_rate=np.array([0.0, 0.0]),
    ...     images=np.zeros((2, 8, 8, 1), "uint8"),
    ...     rows=[],
    ...     class_names=["cat", "dog"],
    ... )
    >>> print(audit)
    rank  image  label  confidence  neighbours  that agree  flips
       1      7    dog        99 %         cat        25 %    0 %
       2      2    cat        90 %         cat       100 %    0 %
    <BLANKLINE>
    2 pseudo-labels, 1 of them outvoted by its neighbours
    """

    indices: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray
    agreement: np.ndarray
    neighbor_labels: np.ndarray
    flip_rate: np.ndarray
    images: np.ndarray
    rows: list
    class_names: list | None = None

    @property
    def scores(self):
        return suspicion(self.agreement, self.flip_rate)

    @property
    def is_outvoted(self):
        return self.neighbor_labels != self.labels

    def to_dict(self):
        """Returns the ranking as a dict of lists, which JSON can hold."""
        columns = {
            "index": self.indices,
            "label": self.labels,
            "confidence": self.confidence,
            "agreement": self.agreement,
            "neighbor_label": self.neighbor_labels,
            "flip_rate": self.flip_rate,
            "score": self.scores,
        }
        return {name: column.tolist() for name, column in columns.items()}

    def figure(self, num_columns=10, value_range=None):
        """Draws the first images, the likeliest wrong ones first.

        Args:
            num_columns: Int, images per row.
            value_range: Pair of floats, the values of black and white.
                Defaults to `(0, 255)` for uint8; floats need it.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        captions = [self._caption(place) for place in range(len(self.images))]
        return contact_sheet(
            self.images,
            captions,
            "Pseudo-labels that are likeliest wrong: rank, label and how sure "
            "the model is, what its neighbours say",
            num_columns,
            value_range,
        )

    def save(self, folder, value_range=None):
        """Writes the gallery and the veto file, over earlier ones.

        - `gallery.png`: the first images.
        - `veto.csv`: a row for each of them, in the same order. The column
          `veto` holds `yes` where neighbours favour another class: look at
          the gallery, write yes or no, and pass the file to `PseudoLabeler`
          or `data.without_vetoed`.

        Args:
            folder: String or path, which is created if it does not exist.
            value_range: As for `figure`.

        Raises:
            ValueError: If the folder cannot be written, or images of floats
                come without a range.
            ImportError: If matplotlib is not installed.
        """
        figure = self.figure(value_range=value_range)
        folder = made_folder(folder)
        figure.savefig(folder / "gallery.png", dpi=120)
        write_image_table(folder / "veto.csv", self._veto_rows())

    def __str__(self):
        rows = [
            (
                place + 1,
                self.indices[place],
                self._name(self.labels[place]),
                f"{self.confidence[place]:.0%}".replace("%", " %"),
                self._name(self.neighbor_labels[place]),
                f"{self.agreement[place]:.0%}".replace("%", " %"),
                f"{self.flip_rate[place]:.0%}".replace("%", " %"),
            )
            for place in range(min(_NUM_PRINTED, len(self.indices)))
        ]
        heads = ("rank", "image", "label", "confidence", "neighbours",
                 "that agree", "flips")  # fmt: skip
        outvoted = int(self.is_outvoted.sum())
        return "\n".join(
            [
                *text_table(heads, rows),
                "",
                f"{len(self.indices):,} pseudo-labels, {outvoted:,} of them "
                f"outvoted by {'its' if outvoted == 1 else 'their'} neighbours",
            ]
        )

    def _veto_rows(self):
        return [
            {
                "rank": place + 1,
                "veto": "yes" if self.is_outvoted[place] else "no",
                "label": self._name(self.labels[place]),
                "neighbors_say": self._name(self.neighbor_labels[place]),
                "confidence": f"{self.confidence[place]:.4f}",
                "agreement": f"{self.agreement[place]:.4f}",
                "flip_rate": f"{self.flip_rate[place]:.4f}",
                **row,
            }
            for place, row in enumerate(self.rows)
        ]

    def _caption(self, place):
        label = self._name(self.labels[place])
        neighbor = self._name(self.neighbor_labels[place])
        flips = self.flip_rate[place]
        says = f"neighbours: {neighbor}" if neighbor != label else "they agree"
        return (
            f"#{place + 1}  {label}, {100 * self.confidence[place]:.0f} %\n"
            f"{says}" + (f", flips {100 * flips:.0f} %" if flips else "")
        )

    def _name(self, number):
        return class_name(number, self.class_names)


def suspicion(agreement, flip_rate):
    """How likely labels are wrong: 0 for agreement without a flip."""
    return 1 - agreement * (1 - flip_rate)
