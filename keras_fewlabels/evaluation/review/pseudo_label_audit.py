import dataclasses

import numpy as np

from keras_fewlabels.data.review import (
    check_tool_formats,
    write_cleanlab,
    write_tool_files,
)
from keras_fewlabels.evaluation.review.review_page import (
    VETO_ANSWERS,
    save_review,
)
from keras_fewlabels.foundation import (
    Result,
    class_name,
    text_table,
    writable_folder,
)
from keras_fewlabels.plots import contact_sheet
from keras_fewlabels.plots.contact_sheet import MAX_IMAGES

_NUM_PRINTED = 10


@dataclasses.dataclass(frozen=True)
class PseudoLabelAudit(Result):
    """Pseudo-labels, ranked by how likely they are wrong.

    `audit_pseudo_labels` returns it. `print(audit)` shows the first ten,
    `audit.figure()` draws the first images, `audit.to_dict()` returns the
    ranking, and `audit.save(folder)` writes all of this and the veto file. All
    arrays are in the order of the ranking, and have the shape `(num_labels,)`.

    Args:
        indices: Int array, the numbers of the images.
        labels: Int array, their pseudo-labels. Of several labels per image it
            is the most doubtful one: twice its number, plus 1 if it says yes.
        confidence: Float array, the probability of the label by the model.
        agreement: Float array in 0 to 1, the mean probability of the label
            for the nearest neighbours.
        neighbor_labels: Int array, the likeliest class by the neighbours.
        flip_rate: Float array in 0 to 1, the share of rounds in which the
            label changed; 0 without a history.
        images: Array of the first images.
        rows: List of dicts of `index`, `path` and `hash` of these.
        class_names: Optional sequence of strings. Of several labels per image
            there are two for each, of no and of yes.

    Attributes:
        scores: Float array in 0 to 1 by which labels are ranked. It is 0 if
            all neighbours agree and the label never flipped.
        is_outvoted: Boolean array, `True` if neighbours have another class.

    Example:

    >>> from keras_fewlabels.evaluation.review import pseudo_label_audit
    >>> audit = pseudo_label_audit.PseudoLabelAudit(
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

    file_name = "pseudo_label_audit"

    @property
    def scores(self):
        return suspicion(self.agreement, self.flip_rate)

    @property
    def is_outvoted(self):
        return self.neighbor_labels != self.labels

    def to_dict(self):
        """Returns the ranking as a dict of lists that JSON can hold."""
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
        """Draws the first 1,000 images, the most doubtful label first.

        Args:
            num_columns: Int, the number of images in a row.
            value_range: Pair of floats, the values of black and white.
                Defaults to `(0, 255)` for uint8, and for floats to the
                narrowest of `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all
                values.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ValueError: If no range holds all values.
            ImportError: If matplotlib is not installed.
        """
        images = self.images[:MAX_IMAGES]
        captions = [self._caption(place) for place in range(len(images))]
        return contact_sheet(
            images,
            captions,
            "Doubtful pseudo-labels: rank, label and confidence, class of the "
            "neighbours",
            num_columns=num_columns,
            value_range=value_range,
        )

    def save(self, folder, value_range=None, *, formats=()):
        """Writes the ranking, its figure, and the page and file of vetoes.

        - `index.html`: a page to open in a browser, on which a key answers
          whether a label is wrong. It needs no network. Its button writes
          `veto.csv` with the answers, who gave them and when.
        - `pseudo_label_audit.json` and `pseudo_label_audit.png`: the ranking,
          and the first images.
        - `veto.csv`: a row for each of these images, in the same order, with
          an empty column `veto`. The column `suggestion` is `yes` if
          neighbours have another class. Look at the figure, write yes or no
          into `veto`, and pass the file to `PseudoLabeler` or
          `data.without_vetoed`. A file with such an answer is not
          overwritten.

        Other tools read the audit from further files, if `formats` names them:

        - `"cleanlab"`: `cleanlab.json` has the columns of
          `CleanLearning.find_label_issues` for all pseudo-labels.
          `pandas.read_json` makes the table of it, with the number of the
          image as its index. The predicted label is that of the neighbours.
        - `"fiftyone"`: `fiftyone.json`, for the first images. Load it by
          `fiftyone.Dataset.from_dir(labels_path="fiftyone.json",
          dataset_type=fiftyone.types.FiftyOneImageClassificationDataset)`.
        - `"label_studio"`: `label_studio.json`, the first images as tasks with
          their label as the prediction, and `label_studio.xml`, the labelling
          interface for them. Label Studio serves the files if it was started
          with `LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true` and
          `LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=/`. `data.read_new_labels`
          reads the labels that it exports as CSV.

        Args:
            folder: String or path, which is created if it does not exist.
            value_range: As for `figure`.
            formats: List of the names above.

        Raises:
            ValueError: If `veto.csv` contains answers, no range holds all
                values of the images, a format is unknown, or FiftyOne or Label
                Studio is to read images that are no files.
            OSError: If the folder cannot be written to.
            ImportError: If matplotlib or Pillow is not installed.
        """
        check_tool_formats(
            formats, ("cleanlab", "fiftyone", "label_studio"), self.rows
        )
        super().save(folder, value_range=value_range)
        folder = writable_folder(folder)
        if "cleanlab" in formats:
            columns = {
                "is_label_issue": self.is_outvoted,
                "label_quality": 1 - self.scores,
                "given_label": self.labels,
                "predicted_label": self.neighbor_labels,
            }
            write_cleanlab(folder / "cleanlab.json", self.indices, columns)
        num_classes = 1 + max(self.labels.max(), self.neighbor_labels.max())
        write_tool_files(
            folder,
            formats,
            self.rows,
            labels=self.labels,
            confidences=self.confidence,
            scores={
                "agreement": self.agreement,
                "flip_rate": self.flip_rate,
                "doubt": self.scores,
            },
            class_names=[str(number) for number in range(num_classes)]
            if self.class_names is None
            else self.class_names,
        )

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

    def _write_tables(self, folder, value_range=None):
        places = range(len(self.rows))
        rows = [
            {
                "rank": place + 1,
                "suggestion": "yes" if self.is_outvoted[place] else "no",
                "label": self._name(self.labels[place]),
                "neighbors_say": self._name(self.neighbor_labels[place]),
                "confidence": f"{self.confidence[place]:.4f}",
                "agreement": f"{self.agreement[place]:.4f}",
                "flip_rate": f"{self.flip_rate[place]:.4f}",
                **self.rows[place],
            }
            for place in places
        ]
        captions = [
            self._caption(place).partition("  ")[2].replace("\n", "; ")
            for place in places
        ]
        save_review(
            folder,
            rows,
            title="Doubtful pseudo-labels",
            question="Is this label wrong?",
            file="veto.csv",
            column="veto",
            answers=VETO_ANSWERS,
            images=self.images,
            captions=captions,
            groups=[self._name(self.labels[place]) for place in places],
            confidences=self.confidence[: len(places)],
            value_range=value_range,
        )

    def _caption(self, place):
        label = self._name(self.labels[place])
        neighbor = self._name(self.neighbor_labels[place])
        flips = self.flip_rate[place]
        verdict = f"neighbours: {neighbor}"
        if neighbor == label:
            verdict = "neighbours agree"
        return (
            f"#{place + 1}  {label}, {100 * self.confidence[place]:.0f} %\n"
            f"{verdict}" + (f", flips {100 * flips:.0f} %" if flips else "")
        )

    def _name(self, number):
        return class_name(number, self.class_names)


def suspicion(agreement, flip_rate):
    """Returns scores of doubt in 0 to 1: 0 for agreement without a flip."""
    return 1 - agreement * (1 - flip_rate)
