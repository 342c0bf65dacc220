import dataclasses

import numpy as np

from keras_fewlabels.data.review.image_table import write_image_table
from keras_fewlabels.evaluation.compare_predictions import compare_predictions
from keras_fewlabels.foundation.text_table import (
    class_name,
    made_folder,
    text_table,
)
from keras_fewlabels.plots import contact_sheet, prediction_changes


@dataclasses.dataclass(frozen=True)
class PredictionChanges:
    """What another model predicts otherwise.

    `what_changed` returns it. `print(changes)` shows it, `changes.figure()`
    draws the images that changed most, `plots.prediction_changes(changes)`
    what each class won and lost, and `changes.save(folder)` writes all.

    Args:
        before: Int array of shape `(num_images,)`, the classes by the one.
        after: Int array of shape `(num_images,)`, the classes by the other.
        order: Int array of shape `(num_flipped,)`, the images whose class is
            another one, those that changed most first.
        num_classes: Int.
        images: Array of the first of these images.
        rows: List of dicts of `index`, `path` and `hash` of these.
        truth: Optional int array of shape `(num_images,)`.
        contradicted: Optional int array, the images whose pseudo-label is not
            what the other model predicts.
        class_names: Optional sequence of strings.

    Attributes:
        verdict: `Verdict` whether the other model is better, or `None` where
            the truth is not known.

    Example:

    >>> changes = keras_fewlabels.evaluation.PredictionChanges(
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

    @property
    def verdict(self):
        if self.truth is None:
            return None
        return compare_predictions(self.before, self.after, self.truth)

    def to_dict(self):
        """Returns all figures as a dict that JSON can hold."""
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

    def figure(self, num_columns=10, value_range=None):
        """Draws the images whose prediction changed most.

        Args:
            num_columns: Int, images per row.
            value_range: Pair of floats, the values of black and white.
                Defaults to `(0, 255)` for uint8; floats need it.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ValueError: If no prediction changed, so that there is nothing to
                draw.
        """
        if not len(self.order):
            raise ValueError(
                "There must be a prediction that changed to draw it. "
                f"Received: {len(self.before)} images, all predicted as before"
            )
        shown = self.order[: len(self.images)]
        return contact_sheet(
            self.images,
            [self._caption(number) for number in shown],
            "Predictions that changed most: before > after",
            num_columns,
            value_range,
        )

    def save(self, folder, value_range=None):
        """Writes all of it, over earlier files.

        - `flips.png` and `flips.csv`: the images that changed most, if any.
        - `classes.png`: what each class won and lost.

        Args:
            folder: String or path, which is created if it does not exist.
            value_range: As for `figure`.

        Raises:
            ValueError: If the folder cannot be written, or images of floats
                come without a range.
            ImportError: If matplotlib is not installed.
        """
        has_flips = len(self.order) > 0
        flips = self.figure(value_range=value_range) if has_flips else None
        classes = prediction_changes(self)
        folder = made_folder(folder)
        classes.savefig(folder / "classes.png", dpi=120)
        if flips is None:
            for name in ("flips.png", "flips.csv"):
                (folder / name).unlink(missing_ok=True)
            return
        flips.savefig(folder / "flips.png", dpi=120)
        write_image_table(folder / "flips.csv", self._flip_rows())

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
                100 * np.mean(found == self.truth)
                for found in (self.before, self.after)
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
        """A column per question, a row per class."""
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

    def _flip_rows(self):
        return [
            {
                "rank": place + 1,
                "before": self._name(self.before[number]),
                "after": self._name(self.after[number]),
                "kind": self._kind(number),
                **self.rows[place],
            }
            for place, number in enumerate(self.order[: len(self.rows)])
        ]

    def _name(self, number):
        return class_name(number, self.class_names)
