import dataclasses

import numpy as np

from keras_fewlabels.evaluation.corruptions.alexnet_errors import alexnet_errors


@dataclasses.dataclass(frozen=True)
class CorruptionReport:
    """How often a model errs on corrupted images, as a table and a dict.

    `evaluate_corruptions` returns it. `print(report)` shows the table,
    `keras_fewlabels.plots.corruptions(report)` draws it, and
    `json.dump(report.to_dict(), file)` keeps it. All errors are fractions in
    0 to 1; the table gives percent.

    Args:
        clean_error: Float, the error on the images as they are.
        errors: Dict of names of corruptions to a float per severity.
        severities: Tuple of integers from 1 to 5.
        baseline: Optional dict of the same names to the mean error of another
            model.

    Attributes:
        mean_errors: Dict of names of corruptions to means over severities.
        mean_corruption_error: Float, the mean of these, which is what papers
            report on CIFAR-10-C. The four extra corruptions are meant for
            choosing settings; they count where no other was evaluated.
        baseline_ratio: Float, the mean of the ratios of mean errors to those
            of the baseline, or None without one. Below 1 the model is the
            more robust of the two. In percent it is the mCE of ImageNet-C,
            if the baseline is `alexnet_errors()`.

    Example:

    >>> report = keras_fewlabels.evaluation.CorruptionReport(
    ...     0.1,
    ...     {"fog": [0.25, 0.75], "contrast": [0.25, 0.25]},
    ...     severities=(1, 3),
    ...     baseline={"fog": 0.5, "contrast": 0.5},
    ... )
    >>> report.baseline_ratio
    0.75
    >>> print(report)
    error in %                1      3   mean  to baseline
    fog                    25.0   75.0   50.0        100.0
    contrast               25.0   25.0   25.0         50.0
    mean                   25.0   50.0   37.5         75.0
    clean                                10.0
    """

    clean_error: float
    errors: dict
    severities: tuple = (1, 2, 3, 4, 5)
    baseline: dict | None = None

    @property
    def mean_errors(self):
        return {name: _mean(row) for name, row in self.errors.items()}

    @property
    def mean_corruption_error(self):
        return _mean([self.mean_errors[name] for name in self._counted()])

    @property
    def baseline_ratio(self):
        if self.baseline is None:
            return None
        return _mean([self._ratio(name) for name in self._counted()])

    def to_dict(self):
        """Returns all figures as a dict that JSON can hold."""
        return {
            "clean_error": self.clean_error,
            "mean_corruption_error": self.mean_corruption_error,
            "baseline_ratio": self.baseline_ratio,
            "severities": list(self.severities),
            "errors": {name: list(row) for name, row in self.errors.items()},
        }

    def __str__(self):
        heads = [*map(str, self.severities), "mean"]
        lines = ["error in %".ljust(20) + _cells(heads)]
        for name, row in self.errors.items():
            lines.append(_row(name, [*row, _mean(row)]))
        rows = [self.errors[name] for name in self._counted()]
        means = [*np.mean(rows, axis=0), self.mean_corruption_error]
        lines.append(_row("mean", means))
        if self.baseline is not None:
            lines[0] += "  to baseline"
            ratios = [*map(self._ratio, self.errors), self.baseline_ratio]
            for number, ratio in enumerate(ratios, 1):
                lines[number] += f"{100 * ratio:13.1f}"
        blank = len(self.severities) * [""]
        percent = f"{100 * self.clean_error:.1f}"
        lines.append("clean".ljust(20) + _cells([*blank, percent]))
        return "\n".join(lines)

    def _counted(self):
        benchmark = [name for name in self.errors if name in alexnet_errors()]
        return benchmark or list(self.errors)

    def _ratio(self, name):
        return self.mean_errors[name] / self.baseline[name]


def _mean(values):
    return float(np.mean(values))


def _row(name, errors):
    return name.ljust(20) + _cells([f"{100 * error:.1f}" for error in errors])


def _cells(texts):
    return "".join(f"{text:>7}" for text in texts)


def baseline_errors(baseline, names, severities):
    """The mean error of a baseline under each corruption.

    Args:
        baseline: A `CorruptionReport`, a dict of names to means over all five
            severities, or None.
        names: List of names of corruptions.
        severities: Sequence of integers.

    Returns:
        Dict of the names to floats above 0, or None.

    Raises:
        ValueError: If the baseline has other severities, or no error to
            compare to for one of the names.
    """
    if baseline is None:
        return None
    theirs, errors = (1, 2, 3, 4, 5), baseline
    if isinstance(baseline, CorruptionReport):
        theirs, errors = baseline.severities, baseline.mean_errors
    if not isinstance(errors, dict):
        raise ValueError(
            "`baseline` must be a `keras.Model`, a `CorruptionReport` or "
            f"`alexnet_errors()`. Received: baseline={baseline!r}"
        )
    if set(theirs) != set(severities):
        raise ValueError(
            f"The errors of `baseline` are means over severities {theirs}; "
            "evaluate the model on the same. "
            f"Received: severities={severities}"
        )
    useless = [name for name in names if not errors.get(name, 0) > 0]
    if useless:
        raise ValueError(
            "The model can only be compared to a baseline that errs under each "
            "corruption. Leave out those without an error to compare to. "
            f"Received: none for {useless}"
        )
    return {name: errors[name] for name in names}
