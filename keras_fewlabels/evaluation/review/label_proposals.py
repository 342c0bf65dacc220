import dataclasses

import numpy as np

from keras_fewlabels.data.review import check_tool_formats, write_tool_files
from keras_fewlabels.evaluation.review.review_page import save_review
from keras_fewlabels.foundation import (
    Result,
    class_name,
    text_table,
    writable_folder,
)
from keras_fewlabels.plots import contact_sheet
from keras_fewlabels.plots.contact_sheet import MAX_IMAGES


@dataclasses.dataclass(frozen=True)
class LabelProposals(Result):
    """The images to label next, the most useful one first.

    `next_to_label` returns it. `print(proposals)` shows the reasons,
    `proposals.figure()` draws the images, `proposals.to_dict()` returns the
    ranking, and `proposals.save(folder)` writes all of this and the file to
    fill in. All arrays have the shape `(count,)`.

    Args:
        indices: Int array, the numbers of the images.
        predicted: Int array, the likeliest class of each; of several labels
            the one that is most in question.
        confidence: Float array in 0 to 1, the probability of that class.
        uncertainty: Float array in 0 to 1; 1 if two classes are equally
            likely. Of several labels, the mean.
        distance: Float array, 1 minus the cosine to the nearest image that is
            labelled or ranks before.
        class_need: Float array, the need for labels of the likely classes of
            the image. 1 is the mean of all classes.
        gain: Float array in 0 to 1, the share of all uncertainty that the
            image covers in addition to those that rank before.
        images: Array of the images.
        rows: List of dicts of `index`, `path` and `hash`.
        num_classes: Int.
        class_names: Optional sequence of strings.
        several_labels: Boolean, whether several labels may be true of an
            image.

    Example:

    >>> from keras_fewlabels.evaluation.review import label_proposals
    >>> proposals = label_proposals.LabelProposals(
    ...     indices=np.array([7]),
    ...     predicted=np.array([1]),
    ...     confidence=np.array([0.5625]),
    ...     uncertainty=np.array([0.875]),
    ...     distance=np.array([0.5]),
    ...     class_need=np.array([1.25]),
    ...     gain=np.array([0.0625]),
    ...     images=np.zeros((1, 8, 8, 1), "uint8"),
    ...     rows=[],
    ...     num_classes=2,
    ...     class_names=["cat", "dog"],
    ... )
    >>> print(proposals)
    rank  image  looks like  uncertainty  distance  class need    gain
       1      7         dog         0.88      0.50        1.25   6.2 %
    """

    indices: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    uncertainty: np.ndarray
    distance: np.ndarray
    class_need: np.ndarray
    gain: np.ndarray
    images: np.ndarray
    rows: list
    num_classes: int
    class_names: list | None = None
    several_labels: bool = False

    file_name = "label_proposals"

    def to_dict(self):
        """Returns the ranking as a dict of lists that JSON can hold."""
        columns = {
            "index": self.indices,
            "predicted": self.predicted,
            "confidence": self.confidence,
            "uncertainty": self.uncertainty,
            "distance": self.distance,
            "class_need": self.class_need,
            "gain": self.gain,
        }
        return {name: column.tolist() for name, column in columns.items()}

    def figure(self, num_columns=10, value_range=None):
        """Draws the first 1,000 images in the order of the ranking.

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
        captions = [
            f"#{place + 1}\n{self._name(place)}?"
            for place in range(len(images))
        ]
        return contact_sheet(
            images,
            captions,
            "Label these next: rank and class in question"
            if self.several_labels
            else "Label these next: rank and predicted class",
            num_columns=num_columns,
            value_range=value_range,
        )

    def save(self, folder, value_range=None, *, formats=()):
        """Writes the ranking, its figure, and the page and file to fill in.

        - `index.html`: a page to open in a browser, on which a key labels an
          image. It needs no network. Its button writes `to_label.csv` with
          the labels, who gave them and when.
        - `label_proposals.json` and `label_proposals.png`: the ranking, and
          the images with their ranks.
        - `to_label.csv`: a row per image, with an empty column `label` and the
          reasons. Write names or numbers of classes into it, and read them
          with `data.read_new_labels`. Of several labels, write all that are
          true with `;` between, or `none`. A file that contains labels is not
          overwritten.

        Other tools read the proposals from further files, if `formats` names
        them:

        - `"fiftyone"`: `fiftyone.json`. Load it by
          `fiftyone.Dataset.from_dir(labels_path="fiftyone.json",
          dataset_type=fiftyone.types.FiftyOneImageClassificationDataset)`.
        - `"label_studio"`: `label_studio.json`, tasks with the likeliest class
          as the prediction, and `label_studio.xml`, the labelling interface
          for them. Label Studio serves the files if it was started with
          `LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true` and
          `LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=/`. `data.read_new_labels`
          reads the labels that it exports as CSV.

        Args:
            folder: String or path, which is created if it does not exist.
            value_range: As for `figure`.
            formats: List of the names above.

        Raises:
            ValueError: If `to_label.csv` contains labels, no range holds all
                values of the images, a format is unknown, or other tools are
                to read images that are no files, or that have several labels.
            OSError: If the folder cannot be written to.
            ImportError: If matplotlib or Pillow is not installed.
        """
        if self.several_labels and formats:
            raise ValueError(
                "Other tools get one class per image. Leave out `formats`: "
                "`to_label.csv` takes several labels. "
                f"Received: formats={formats!r}"
            )
        check_tool_formats(formats, ("fiftyone", "label_studio"), self.rows)
        super().save(folder, value_range=value_range)
        write_tool_files(
            writable_folder(folder),
            formats,
            self.rows,
            labels=self.predicted,
            confidences=self.confidence,
            scores={
                "uncertainty": self.uncertainty,
                "distance": self.distance,
                "class_need": self.class_need,
                "gain": self.gain,
            },
            class_names=self._names(),
        )

    def __str__(self):
        heads = ("rank", "image", self._looks(), "uncertainty", "distance",
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

    def _write_tables(self, folder, value_range=None):
        places = range(len(self.rows))
        rows = [
            {
                "rank": place + 1,
                self._looks().replace(" ", "_"): self._name(place),
                "confidence": f"{self.confidence[place]:.4f}",
                "uncertainty": f"{self.uncertainty[place]:.4f}",
                "distance": f"{self.distance[place]:.4f}",
                "class_need": f"{self.class_need[place]:.4f}",
                "gain": f"{self.gain[place]:.4f}",
                **self.rows[place],
            }
            for place in places
        ]
        looks = [self._name(place) for place in places]
        names = self._names()
        question = {
            "question": "Which class is it?",
            "answers": [(name, name) for name in names],
        }
        if self.several_labels:
            question = {
                "question": "Which labels are true? Type all of them with ; "
                "between, or none.",
                "answers": [],
                "facts": "\n".join(["The labels:", *names]),
            }
        save_review(
            folder,
            rows,
            title="Images to label next",
            file="to_label.csv",
            column="label",
            images=self.images,
            captions=[
                f"{self._looks()} {name}, {100 * confidence:.0f} %"
                for name, confidence in zip(looks, self.confidence, strict=True)
            ],
            groups=looks,
            confidences=self.confidence,
            value_range=value_range,
            **question,
        )

    def _looks(self):
        return "in question" if self.several_labels else "looks like"

    def _names(self):
        return [
            class_name(number, self.class_names)
            for number in range(self.num_classes)
        ]

    def _name(self, place):
        return class_name(self.predicted[place], self.class_names)
