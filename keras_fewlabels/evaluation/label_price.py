import dataclasses
import json

from keras_fewlabels.evaluation.table import (
    class_name,
    made_folder,
    text_table,
)
from keras_fewlabels.plots import label_price


@dataclasses.dataclass(frozen=True)
class LabelPrice:
    """What more labels would bring, or that nobody can tell.

    `price_of_a_label` returns it. `print(price)` shows it,
    `keras_fewlabels.plots.label_price(price)` draws it, and
    `price.save(folder)` writes both. Errors and gains are fractions in 0 to
    1; the table gives percent.

    Args:
        num_labels: Int, how many there are.
        sizes: List of ints, numbers of labels that heads were fitted to.
        errors: List of floats, the error that heads fitted to as many have.
        curve: List of floats, the fitted curve at these sizes, `None` where
            it was not fitted.
        offers: List of dicts, one per number of labels to buy: `extra` (how
            many), `error` (by the curve, with these), `gain` (how much less
            the error is by then), `low` and `high` (the interval of the
            gain), and `verdict`: `"gain"`, or why nobody can tell.
        class_offers: List of such dicts for the largest number of labels to
            buy, one per class, each with its `class` in addition.
        confidence: Float in 0 to 1, how often an interval should be right.
        measured_on: String, what the errors were counted on.
        class_names: Optional sequence of strings.

    Example:

    >>> price = keras_fewlabels.evaluation.LabelPrice(
    ...     num_labels=40,
    ...     sizes=[10, 20, 40],
    ...     errors=[0.4, 0.2, 0.1],
    ...     curve=[0.4, 0.2, 0.1],
    ...     offers=[{"extra": 40, "error": 0.05, "gain": 0.05, "low": 0.02,
    ...              "high": 0.09, "verdict": "gain"}],
    ...     class_offers=[],
    ...     confidence=0.9,
    ...     measured_on="100 validation images",
    ... )
    >>> print(price)
    labels   error
        10  40.0 %
        20  20.0 %
        40  10.0 %
    <BLANKLINE>
    labels   error                 gain   per label  verdict
      + 40   5.0 %  5.0 % (2.0 to 9.0)     0.125 %  gain
    <BLANKLINE>
    errors on 100 validation images; 90 % intervals
    """

    num_labels: int
    sizes: list
    errors: list
    curve: list
    offers: list
    class_offers: list
    confidence: float
    measured_on: str
    class_names: list | None = None

    def to_dict(self):
        """Returns all figures as a dict that JSON can hold."""
        names = None if self.class_names is None else list(self.class_names)
        return {**dataclasses.asdict(self), "class_names": names}

    def save(self, folder):
        """Writes `price.json` and `price.png`, over earlier ones.

        Args:
            folder: String or path, which is created if it does not exist.

        Raises:
            ValueError: If the folder cannot be written.
            ImportError: If matplotlib is not installed.
        """
        figure, text = label_price(self), json.dumps(self.to_dict(), indent=2)
        folder = made_folder(folder)
        (folder / "price.json").write_text(text)
        figure.savefig(folder / "price.png", dpi=120)

    def __str__(self):
        rows = [
            (size, _percent(error))
            for size, error in zip(self.sizes, self.errors, strict=True)
        ]
        lines = [*text_table(("labels", "error"), rows), ""]
        heads = ("labels", "error", "gain", "per label", "verdict")
        lines += text_table(heads, [_row(offer) for offer in self.offers])
        if self.class_offers:
            names = [
                class_name(offer["class"], self.class_names)
                for offer in self.class_offers
            ]
            rows = [
                (name, *_row(offer))
                for name, offer in zip(names, self.class_offers, strict=True)
            ]
            lines += ["", *text_table(("class", *heads), rows)]
        share = f"{100 * self.confidence:g} %"
        lines += ["", f"errors on {self.measured_on}; {share} intervals"]
        return "\n".join(lines)


def _row(offer):
    low, high = 100 * offer["low"], 100 * offer["high"]
    each = 100 * offer["gain"] / offer["extra"]
    return (
        f"+ {offer['extra']:,}",
        _percent(offer["error"]),
        f"{_percent(offer['gain'])} ({low:.1f} to {high:.1f})",
        f"{each:.3f} %",
        offer["verdict"],
    )


def _percent(share):
    return f"{100 * share:.1f} %"
