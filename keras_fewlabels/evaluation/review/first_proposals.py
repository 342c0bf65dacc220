import dataclasses

import numpy as np

from keras_fewlabels.evaluation.review.review_page import save_review
from keras_fewlabels.foundation import Result, text_table
from keras_fewlabels.plots import contact_sheet
from keras_fewlabels.plots.contact_sheet import MAX_IMAGES


@dataclasses.dataclass(frozen=True)
class FirstProposals(Result):
    """The images to label first, the one that stands for most images first.

    `first_to_label` returns it. All arrays have the shape `(count,)`.

    Args:
        indices: Int array, the numbers of the images.
        gain: Float array in 0 to 1, the share of all images, by similarity,
            that the image stands for and those before it do not.
        distance: Float array, 1 minus the cosine to the nearest image that
            ranks before.
        images: Array of the images.
        rows: List of dicts of `index`, `path` and `hash`.
        class_names: Optional list of strings.

    Example:

    >>> from keras_fewlabels.evaluation.review import first_proposals
    >>> proposals = first_proposals.FirstProposals(
    ...     indices=np.array([7]),
    ...     gain=np.array([0.0625]),
    ...     distance=np.array([1.0]),
    ...     images=np.zeros((1, 8, 8, 1), "uint8"),
    ...     rows=[],
    ... )
    >>> print(proposals)
    rank  image    gain  distance
       1      7   6.2 %      1.00
    """

    indices: np.ndarray
    gain: np.ndarray
    distance: np.ndarray
    images: np.ndarray
    rows: list
    class_names: list | None = None

    file_name = "first_to_label"

    def to_dict(self):
        """Returns the ranking as a dict of lists that JSON can hold."""
        return {
            name: getattr(self, column).tolist()
            for name, column in (
                ("index", "indices"),
                ("gain", "gain"),
                ("distance", "distance"),
            )
        }

    def figure(self, num_columns=10, value_range=None):
        """Draws the first 1,000 images in the order of the ranking.

        Args:
            num_columns: Int, the number of images in a row.
            value_range: Pair of floats, as for `plots.contact_sheet`.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        images = self.images[:MAX_IMAGES]
        return contact_sheet(
            images,
            [f"#{place + 1}" for place in range(len(images))],
            "Label these first",
            num_columns=num_columns,
            value_range=value_range,
        )

    def save(self, folder, value_range=None):
        """Writes the ranking, its figure, and the page and file to fill in.

        - `index.html`: a page to open in a browser, on which a key labels an
          image. It needs no network. Its button writes `to_label.csv` with
          the labels, who gave them and when.
        - `to_label.csv`: a row per image, with an empty column `label`, which
          `data.read_new_labels` reads. A file with labels is not overwritten.
        - `first_to_label.json` and `first_to_label.png`: the ranking, and the
          images with their ranks.

        Args:
            folder: String or path, which is created if it does not exist.
            value_range: As for `figure`.

        Raises:
            ValueError: If `to_label.csv` contains labels.
            OSError: If the folder cannot be written to.
            ImportError: If matplotlib or Pillow is not installed.
        """
        super().save(folder, value_range=value_range)

    def __str__(self):
        rows = [
            (
                place + 1,
                self.indices[place],
                f"{100 * self.gain[place]:5.1f} %",
                f"{self.distance[place]:.2f}",
            )
            for place in range(len(self.indices))
        ]
        return "\n".join(
            text_table(("rank", "image", "gain", "distance"), rows)
        )

    def _write_tables(self, folder, value_range=None):
        rows = [
            {
                "rank": place + 1,
                "gain": f"{self.gain[place]:.4f}",
                "distance": f"{self.distance[place]:.4f}",
                **row,
            }
            for place, row in enumerate(self.rows)
        ]
        save_review(
            folder,
            rows,
            title="Images to label first",
            question="Which class is it?",
            file="to_label.csv",
            column="label",
            answers=[(name, name) for name in self.class_names or ()],
            images=self.images,
            captions=[f"number {row['rank']}" for row in rows],
            groups=[""] * len(rows),
            confidences=np.ones(len(rows)),
            value_range=value_range,
        )
