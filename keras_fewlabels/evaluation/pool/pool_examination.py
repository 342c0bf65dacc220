import dataclasses

import numpy as np

from keras_fewlabels.evaluation.pool.class_shares import ClassShares
from keras_fewlabels.evaluation.pool.foreign_images import ForeignImages
from keras_fewlabels.evaluation.pool.pool_page import save_pool_page
from keras_fewlabels.foundation import Result, class_name, text_table
from keras_fewlabels.plots import contact_sheet
from keras_fewlabels.plots.contact_sheet import MAX_IMAGES

# Parts whose images must not be learned.
_MEASURED = "validation", "test"


@dataclasses.dataclass(frozen=True)
class PoolExamination(Result):
    """What unlabelled images hold, beside the labelled ones.

    `examine_pool` returns it. `print(examination)` shows the findings,
    `examination.figure()` draws the most foreign images,
    `examination.to_dict()` returns the findings, and
    `examination.save(folder)` writes all of this and a veto file.

    Args:
        foreign: `ForeignImages`.
        classes: `ClassShares` of the images that are not foreign; `None` if a
            class has a single label, so that no confusion is known, or if
            several labels may be true of an image.
        copies: List of `Copy`, of the parts "test", "validation", "labeled"
            and "unlabeled".
        images: Array of the most foreign images.
        rows: List of dicts of `index`, `path` and `hash` of these, of the
            images of `pairs`, and of further images that are foreign or
            copies of images to measure with.
        class_names: Optional sequence of strings.
        pairs: Optional dict of the numbers of further images that are copies
            to triples: the copy, the image that it is a copy of, and the path
            of that, or `""`. The same for copies among the most foreign
            images.

    Attributes:
        scores: Float array `(num_unlabeled,)`, higher for images that look
            more foreign. At 0 as much of the labels arrives as at half of the
            labelled images, at 1 ten times less.
        weights: Float array `(num_unlabeled,)` in 0 to 1, the probability
            that an image is like the labelled ones.
        is_foreign: Boolean array `(num_unlabeled,)`, `True` for weights below
            0.5.
        foreign_share: Float, the share of foreign images, or `None` if no
            class has two labels.
        foreign_interval: Pair of floats, its 95 % interval.
        class_shares: Float array `(num_classes,)`, the shares of the classes
            among the other images, or `None`.
        class_intervals: Float array `(num_classes, 2)`, their 95 % intervals.
        missing_classes: List of ints, the classes that seem to have no image.
        leaks: Int array, the unlabelled images that are copies of validation
            or test images.

    Example:

    >>> from keras_fewlabels.data.copies import Copy
    >>> from keras_fewlabels.evaluation.pool import pool_examination
    >>> examination = pool_examination.PoolExamination(
    ...     pool_examination.ForeignImages(
    ...         np.array([2.5, -0.5]), np.array([0.02, 1.0]), 0.5, (0.0, 0.75)
    ...     ),
    ...     pool_examination.ClassShares(
    ...         np.array([0.98, 0.02]), np.array([[0.9, 1], [0, 0.25]])
    ...     ),
    ...     [Copy("unlabeled", 1, "test", 7, 0.97)],
    ...     np.zeros((2, 8, 8, 1), "uint8"),
    ...     [],
    ...     ["cat", "dog"],
    ... )
    >>> print(examination)
    foreign: 50 % (0 to 75 %) of 2 unlabelled images, 1 of them named
    <BLANKLINE>
    class  share    interval
    cat     98 %  90 to 100 %
    dog      2 %   0 to 25 %  seems to be missing
    <BLANKLINE>
    copies             images
    unlabeled of test       1
    """

    foreign: ForeignImages
    classes: ClassShares | None
    copies: list
    images: np.ndarray
    rows: list
    class_names: list | None = None
    pairs: dict | None = None

    file_name = "pool_examination"

    @property
    def scores(self):
        return self.foreign.scores

    @property
    def weights(self):
        return self.foreign.weights

    @property
    def is_foreign(self):
        return self.foreign.is_foreign

    @property
    def foreign_share(self):
        return self.foreign.share

    @property
    def foreign_interval(self):
        return self.foreign.interval

    @property
    def class_shares(self):
        return None if self.classes is None else self.classes.shares

    @property
    def class_intervals(self):
        return None if self.classes is None else self.classes.intervals

    @property
    def missing_classes(self):
        return [] if self.classes is None else self.classes.missing

    @property
    def leaks(self):
        return leaks(self.copies)

    def to_dict(self):
        """Returns the findings as a dict that JSON can hold."""
        shares = intervals = None
        if self.classes is not None:
            shares = self.class_shares.tolist()
            intervals = self.class_intervals.tolist()
        return {
            "foreign_share": self.foreign_share,
            "foreign_interval": list(map(float, self.foreign_interval)),
            "num_foreign": int(self.is_foreign.sum()),
            "class_shares": shares,
            "class_intervals": intervals,
            "missing_classes": self.missing_classes,
            "copies": list(map(dataclasses.asdict, self.copies)),
            "scores": np.round(self.scores, 4).tolist(),
            "weights": np.round(self.weights, 4).tolist(),
        }

    def figure(self, num_columns=10, value_range=None):
        """Draws the most foreign images, 1,000 at most.

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
        order = most_foreign(self.foreign, len(images))
        captions = [
            f"#{place + 1}  score {self.scores[index]:.1f}\n"
            f"like the labels: {100 * self.weights[index]:.0f} %"
            for place, index in enumerate(order)
        ]
        return contact_sheet(
            images,
            captions,
            "The most foreign images, and the probability that they are like "
            "the labelled ones",
            num_columns=num_columns,
            value_range=value_range,
        )

    def save(self, folder, value_range=None):
        """Writes the findings, the figure, and the page and file of vetoes.

        - `index.html`: a page to open in a browser, on which a key answers
          whether an image is to be left out. It needs no network. It shows
          the most foreign images, and copies beside what they are copies of.
          Its button writes `veto.csv` with the answers, who gave them and
          when.
        - `pool_examination.json` and `pool_examination.png`: the findings,
          and the most foreign images.
        - `veto.csv`: a row for each of these images, and for all others that
          are foreign or copies of validation or test images, with an empty
          column `veto`. The column `suggestion` is `yes` for those that are.
          Look at the figure, write yes or no into `veto`, and pass the file
          to `PseudoLabeler` or `data.without_vetoed`. A file with such an
          answer is not overwritten.

        Args:
            folder: String or path, which is created if it does not exist.
            value_range: As for `figure`.

        Raises:
            ValueError: If `veto.csv` contains answers, or no range holds all
                values of the images.
            OSError: If the folder cannot be written to.
            ImportError: If matplotlib or Pillow is not installed.
        """
        super().save(folder, value_range=value_range)

    def __str__(self):
        share, (low, high) = self.foreign_share, self.foreign_interval
        share = "unknown" if share is None else f"{100 * share:.0f} %"
        lines = [
            f"foreign: {share} ({100 * low:.0f} to {100 * high:.0f} %) of "
            f"{len(self.scores):,} unlabelled images, "
            f"{self.is_foreign.sum():,} of them named"
        ]
        if self.classes is not None:
            heads = "class", "share", "interval", ""
            lines += ["", *text_table(heads, self._class_rows(), 1)]
        if self.copies:
            counts = {}
            for copy in self.copies:
                kind = f"{copy.part} of {copy.other_part}"
                counts[kind] = counts.get(kind, 0) + 1
            heads = "copies", "images"
            lines += ["", *text_table(heads, counts.items(), 1)]
        return "\n".join(lines)

    def _class_rows(self):
        return [
            (
                class_name(number, self.class_names),
                f"{100 * share:.0f} %",
                f"{100 * low:.0f} to {100 * high:.0f} %",
                "seems to be missing" * (number in self.missing_classes),
            )
            for number, (share, (low, high)) in enumerate(
                zip(self.class_shares, self.class_intervals, strict=True)
            )
        ]

    def _write_tables(self, folder, value_range=None):
        save_pool_page(folder, self, value_range)


def leaks(copies):
    """Returns the unlabelled images that are copies of ones to measure with.

    Args:
        copies: List of `Copy`.

    Returns:
        Sorted int array.
    """
    found = {
        copy.index
        for copy in copies
        if copy.part == "unlabeled" and copy.other_part in _MEASURED
    }
    return np.array(sorted(found), "int64")


def most_foreign(foreign, count):
    """Returns the numbers of the most foreign images, the first one first."""
    return np.argsort(-foreign.scores, kind="stable")[:count]
