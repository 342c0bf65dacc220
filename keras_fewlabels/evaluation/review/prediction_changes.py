import dataclasses

import numpy as np

from keras_fewlabels.data.review import write_image_table
from keras_fewlabels.evaluation.verdicts import compare_predictions
from keras_fewlabels.foundation import (
    Result,
    class_name,
    save_figure,
    text_table,
    writable_folder,
)
from keras_fewlabels.plots import contact_sheet
from keras_fewlabels.plots.contact_sheet import MAX_IMAGES
from keras_fewlabels.plots.results.prediction_changes import (
    prediction_changes,
)


@dataclasses.dataclass(frozen=True)
class PredictionChanges(Result):
    """The images that two models predict differently.

    `what_changed` returns it. `print(changes)` shows a table,
    `changes.figure()` draws the images that each class won and lost,
    `changes.flips_figure()` draws the images that changed most,
    `changes.to_dict()` returns the changes, and `changes.save(folder)` writes
    all of this.

    Args:
        before: Int array of shape `(num_images,)`, the classes that the first
            model predicts.
        after: Int array of shape `(num_images,)`, those of the second model.
        order: Int array of shape `(num_flipped,)`, the images whose predicted
            class differs, those that changed most first.
        num_classes: Int.
        images: Array of the first of these images.
        rows: List of dicts of `index`, `path` and `hash` of these.
        truth: Optional int array of shape `(num_images,)`.
        contradicted: Optional int array, the images whose pseudo-label
            differs from the prediction of the second model.
        class_names: Optional sequence of strings.

    Attributes:
        verdict: `Verdict` that states whether the second model is better, or
            `None` if the truth is not known.

    Example:

    >>> from keras_fewlabels.evaluation.review import prediction_changes
    >>> changes = prediction_changes.PredictionChanges(
    ...     before=np.array([0, 0, 1, 1]),
    ...     after=np.array([0, 1, 1, 0]),
    ...     order=np.array([3, 1]),
    ...     num_classes=2,
    ...     images=np.zeros((2, 8, 8, 1), "uint8"),
    ...     rows=[],
    ...     truth=np.array([0, 1, 1, 0]),
    ... )
    >>> print(changes)
    class  won  lost  before  after
        0    1     0       2      2
        1    1     0       2      2
    <BLANKLINE>
    2 of 4 predictions flipped: 2 fixed, 0 broken, 0 still wrong
    accuracy 50.0 % -> 100.0 %
    cannot tell: 50.0 points (-16.6 to 83.2) on 4 images
    """

    before: np.ndarray
    after: np.ndarray
    order: np.ndarray
    num_classes: int
    images: np.ndarray
    rows: list
    truth: np.ndarray | None = None
    contradicted: np.ndarray | None = None
    class_names: list | None = None

    file_name = "prediction_changes"

    @property
    def verdict(self):
        if self.truth is None:
            return None
        return compare_predictions(self.before, self.after, self.truth)

    def to_dict(self):
        """Returns all changes as a dict that JSON can hold."""
        contradicted = self.contradicted
        return {
            "num_images": len(self.before),
            "flipped": self.order.tolist(),
            "verdict": self.verdict and self.verdict.to_dict(),
            "contradicted": (
                None if contradicted is None else contradicted.tolist()
            ),
            "classes": self._classes(),
        }

    def figure(self):
        """Draws how many images each class won and lost.

        If the truth is known, images that were wrong and are right now are
        won by their class, and the reverse are lost. Otherwise a class wins
        the images that are predicted as it now, and loses those that were.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        return prediction_changes(self._classes())

    def flips_figure(self, num_columns=10, value_range=None):
        """Draws the images whose prediction changed most, 1,000 at most.

        Args:
            num_columns: Int, the number of images in a row.
            value_range: Pair of floats, the values of black and white.
                Defaults to `(0, 255)` for uint8, and for floats to the
                narrowest of `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all
                values.

        Returns:
            A `matplotlib.figure.Figure`, or `None` if no prediction changed.

        Raises:
            ValueError: If no range holds all values.
            ImportError: If matplotlib is not installed.
        """
        if not len(self.order):
            return None
        images = self.images[:MAX_IMAGES]
        shown = self.order[: len(images)]
        return contact_sheet(
            images,
            [self._caption(number) for number in shown],
            "Predictions that changed most: before > after",
            num_columns=num_columns,
            value_range=value_range,
        )

    def save(self, folder, value_range=None):
        """Writes the changes, the classes, and the images that changed most.

        - `prediction_changes.json` and `prediction_changes.png`: the dict of
          `to_dict()` and the figure of `figure()`.
        - `flips.png` and `flips.csv`: the images that changed most, if there
          are any.

        Args:
            folder: String or path, which is created if it does not exist.
                Earlier files are overwritten.
            value_range: As for `flips_figure`.

        Raises:
            ValueError: If no range holds all values of the images.
            OSError: If the folder cannot be written to.
            ImportError: If matplotlib is not installed.
        """
        flips = self.flips_figure(value_range=value_range)
        super().save(folder)
        save_figure(flips, writable_folder(folder) / "flips.png")

    def __str__(self):
        classes = self._classes()
        lines = text_table(classes, zip(*classes.values(), strict=True))
        head = (
            f"{len(self.order):,} of {len(self.before):,} predictions flipped"
        )
        if self.truth is None:
            lines += ["", head]
        else:
            verdict = self.verdict
            fixed, broken = verdict.num_gained, verdict.num_lost
            others = len(self.order) - fixed - broken
            was, now = (
                100 * np.mean(predicted == self.truth)
                for predicted in (self.before, self.after)
            )
            lines += [
                "",
                f"{head}: {fixed:,} fixed, {broken:,} broken, "
                f"{others:,} still wrong",
                f"accuracy {was:.1f} % -> {now:.1f} %",
                str(verdict),
            ]
        if self.contradicted is not None:
            lines.append(
                f"{len(self.contradicted):,} pseudo-labels are contradicted"
            )
        return "\n".join(lines)

    def _fixed(self):
        return (self.before != self.truth) & (self.after == self.truth)

    def _broken(self):
        return (self.before == self.truth) & (self.after != self.truth)

    def _classes(self):
        """Returns a dict of columns with an entry per class."""
        if self.truth is None:
            flipped = self.before != self.after
            won, lost = self.after[flipped], self.before[flipped]
        else:
            won, lost = self.truth[self._fixed()], self.truth[self._broken()]
        columns = {
            "won": won, "lost": lost, "before": self.before,
            "after": self.after,
        }  # fmt: skip
        counts = {
            name: np.bincount(column, minlength=self.num_classes).tolist()
            for name, column in columns.items()
        }
        return {
            "class": list(map(self._name, range(self.num_classes))),
            **counts,
        }

    def _kind(self, number):
        if self.truth is None:
            return ""
        if self._fixed()[number]:
            return "fixed"
        return "broken" if self._broken()[number] else "still wrong"

    def _caption(self, number):
        was, now = (
            self._name(self.before[number]),
            self._name(self.after[number]),
        )
        kind = self._kind(number)
        if kind == "still wrong":
            kind = f"wrong, is {self._name(self.truth[number])}"
        return f"{was} > {now}\n{kind}".strip()

    def _write_tables(self, folder, value_range=None):
        rows = [
            {
                "rank": place + 1,
                "before": self._name(self.before[number]),
                "after": self._name(self.after[number]),
                "kind": self._kind(number),
                **self.rows[place],
            }
            for place, number in enumerate(self.order[: len(self.rows)])
        ]
        if rows:
            write_image_table(folder / "flips.csv", rows)
        else:
            (folder / "flips.csv").unlink(missing_ok=True)

    def _name(self, number):
        return class_name(number, self.class_names)
