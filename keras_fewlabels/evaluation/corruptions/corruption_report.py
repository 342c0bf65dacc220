import dataclasses

import numpy as np

from keras_fewlabels.foundation import Result
from keras_fewlabels.plots.results.corruptions import corruptions

# Errors of AlexNet under the 15 corruptions of ImageNet-C, means over the five
# severities (Hendrycks and Dietterich, 2019, https://arxiv.org/abs/1903.12261).
ALEXNET_ERRORS = {
    "gaussian_noise": 0.886428,
    "shot_noise": 0.894468,
    "impulse_noise": 0.922640,
    "defocus_blur": 0.819880,
    "glass_blur": 0.826268,
    "motion_blur": 0.785948,
    "zoom_blur": 0.798360,
    "snow": 0.866816,
    "frost": 0.826572,
    "fog": 0.819324,
    "brightness": 0.564592,
    "contrast": 0.853204,
    "elastic_transform": 0.646056,
    "pixelate": 0.717840,
    "jpeg_compression": 0.606500,
}


@dataclasses.dataclass(frozen=True)
class CorruptionReport(Result):
    """The error rates of a model on corrupted images.

    `evaluate_corruptions` returns it. `print(report)` shows a table,
    `report.figure()` draws it, `report.to_dict()` returns it, and
    `report.save(folder)` writes `corruptions.json` and `corruptions.png`. All
    errors are fractions in 0 to 1; the table shows percent.

    Args:
        clean_error: Float, the error on the images as they are.
        errors: Dict of names of corruptions to a float per severity.
        severities: Tuple of integers from 1 to 5.
        baseline: Optional dict of the same names to the mean error of another
            model.

    Attributes:
        mean_errors: Dict of names of corruptions to means over severities.
        mean_corruption_error: Float, the mean of these, which papers report
            on CIFAR-10-C. The four extra corruptions are meant for choosing
            settings, and count only if no other corruption was evaluated.
        baseline_ratio: Float, the mean of the ratios of mean errors to those
            of the baseline, or `None` without a baseline. Below 1 the model
            is more robust than the baseline. In percent and for
            `baseline="alexnet"` it is the mCE of ImageNet-C.

    Example:

    >>> from keras_fewlabels.evaluation.corruptions import corruption_report
    >>> report = corruption_report.CorruptionReport(
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

    file_name = "corruptions"

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
        """Returns all errors as a dict that JSON can hold."""
        return {
            "clean_error": self.clean_error,
            "mean_corruption_error": self.mean_corruption_error,
            "baseline_ratio": self.baseline_ratio,
            "severities": list(self.severities),
            "errors": {name: list(row) for name, row in self.errors.items()},
            "in_mean": self._counted(),
        }

    def figure(self, others=None):
        """Draws a heat map of the errors.

        Args:
            others: Optional dict of titles to reports of other models, of the
                same corruptions and severities, which are drawn to the right.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ValueError: If another report has other corruptions or severities.
            ImportError: If matplotlib is not installed.
        """
        reports = {"this model": self, **others} if others else {"": self}
        return corruptions(
            {title: report.to_dict() for title, report in reports.items()}
        )

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
        benchmark = [name for name in self.errors if name in ALEXNET_ERRORS]
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
    """Returns the mean error of a baseline under each corruption.

    Args:
        baseline: A `CorruptionReport`, `"alexnet"`, or `None`.
        names: List of names of corruptions.
        severities: Sequence of integers.

    Returns:
        Dict of the names to floats above 0, or `None`.

    Raises:
        ValueError: If the baseline has other severities, or no error above 0
            for one of the names.
    """
    if baseline is None:
        return None
    if isinstance(baseline, CorruptionReport):
        known_severities = baseline.severities
        errors = baseline.mean_errors
    elif isinstance(baseline, str) and baseline == "alexnet":
        known_severities, errors = (1, 2, 3, 4, 5), ALEXNET_ERRORS
    else:
        raise ValueError(
            "`baseline` must be a `keras.Model`, the report of one, or "
            f"'alexnet'. Received: baseline={baseline!r}"
        )
    if set(known_severities) != set(severities):
        raise ValueError(
            "The errors of `baseline` are means over severities "
            f"{known_severities}. Evaluate the model on the same severities. "
            f"Received: severities={severities}"
        )
    missing = [name for name in names if not errors.get(name, 0) > 0]
    if missing:
        raise ValueError(
            "`baseline` must have an error above 0 under each corruption. "
            "Leave out corruptions without one. "
            f"Received: no error for {missing}"
        )
    return {name: errors[name] for name in names}
