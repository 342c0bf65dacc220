"""The plots of a `FitReport`."""

import numpy as np

from keras_fewlabels import plots
from keras_fewlabels.evaluation.verdicts import (
    accuracy_interval,
    wilson_interval,
)
from keras_fewlabels.loops.report.words.compared import (
    compared_figure,
    figure_in_words,
    known_split,
)
from keras_fewlabels.loops.report.words.several_labels import (
    answer_names,
    has_several_labels,
)
from keras_fewlabels.loops.report.words.text import phase_name
from keras_fewlabels.plots.results.accuracy_over_time import accuracy_over_time
from keras_fewlabels.plots.results.reliability import reliability
from keras_fewlabels.plots.results.waterfall import waterfall

TRAINING_METRICS = ("loss", "accuracy")
PSEUDO_LABEL_METRICS = ("mask_ratio", "confidence", "pseudo_label_accuracy")


def report_figures(details, mistakes=None):
    """Draws the plots that a report has data for.

    Args:
        details: Dict, see `FitReport`.
        mistakes: Optional array of the images that
            `details["examined"]["mistakes"]` describes, in its order.

    Returns:
        Dict of `"accuracy_over_time"`, `"comparison"`, `"waterfall"`,
        `"learning_curves"`, `"pseudo_labels"`, `"reliability"`,
        `"confusion_matrix"` and `"mistakes"` to a `matplotlib.figure.Figure`,
        or to `None` if the data of that plot is missing. There is no
        comparison if the accuracy over time shows the same.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.loops.report.figures import report_figures
    >>> phase = {"name": "supervised", "history": {"loss": [1.2, 0.8]}}
    >>> figures = report_figures({"phases": [phase]})
    >>> [name for name, figure in figures.items() if figure]
    ['learning_curves']
    """
    histories = metric_histories(details)
    over_time = results_over_time(details)
    measured = figure_in_words(details)
    return {
        "accuracy_over_time": over_time
        and accuracy_over_time(*over_time, measured=measured),
        # The bars of phases would only repeat the points over time.
        "comparison": None if over_time else _comparison(details),
        "waterfall": _waterfall(details),
        "learning_curves": _curves(
            histories, metrics_of(histories, TRAINING_METRICS)
        ),
        "pseudo_labels": _curves(
            histories, metrics_of(histories, PSEUDO_LABEL_METRICS)
        ),
        "reliability": _reliability(details),
        "confusion_matrix": _confusion_matrix(details),
        "mistakes": _mistakes(details, mistakes),
    }


def metric_histories(details):
    """Returns dicts of metrics to values per epoch, by the name of a phase."""
    return {
        name: {
            metric: values
            for metric, values in (part.get("history") or {}).items()
            if values
        }
        for name, part in _parts(details).items()
    }


def metrics_of(histories, metrics):
    """Returns the metrics to draw of the histories.

    Args:
        histories: Dict of `metric_histories`.
        metrics: `TRAINING_METRICS`, in whose place all metrics are drawn that
            were measured on validation images; or `PSEUDO_LABEL_METRICS`.

    Returns:
        List of strings, those that some history has.
    """
    known = dict.fromkeys(name for each in histories.values() for name in each)
    # Keras validates every metric, but models log other numbers as well.
    validated = [name for name in known if f"val_{name}" in known]
    if metrics is TRAINING_METRICS and validated:
        return validated
    return [metric for metric in metrics if metric in known]


def results_over_time(details):
    """Returns the arguments of `accuracy_over_time`, or `None`."""
    phases, figure = details["phases"], compared_figure(details)
    if any(phase.get("seconds_since_start") is None for phase in phases):
        return None
    measures = {
        split: [_point(phase, split, figure) for phase in phases]
        for split in ("cross_validation", "validation", "test")
    }
    # One point is no curve, but may stand beside another one.
    if max(len(_known(points)) for points in measures.values()) < 2:
        return None
    measures = {
        split.replace("_", "-"): points
        for split, points in measures.items()
        if _known(points)
    }
    names = [phase_name(phase) for phase in phases]
    seconds = [phase["seconds_since_start"] for phase in phases]
    return names, seconds, measures, _levels(details, figure)


def _parts(details):
    """Returns the phases and what they are compared with, by name."""
    parts = {phase_name(phase): phase for phase in details["phases"]}
    if details.get("baseline"):
        parts["baseline"] = details["baseline"]
    if details.get("linear_probe"):
        parts["linear probe"] = details["linear_probe"]
    return parts


def _point(phase, split, figure):
    """Returns what was measured of a phase, and its interval, or `None`.

    A mean average precision has no interval.
    """
    measured = phase.get(split) or {}
    if measured.get(figure) is None:
        return None
    if figure != "accuracy":
        return (measured[figure],)
    interval = accuracy_interval(
        measured["accuracy"], measured["num_images"], measured.get("deviation")
    )
    return measured["accuracy"], *interval


def _known(points):
    return [point for point in points if point is not None]


def _levels(details, figure):
    """Returns the figures of models beside the phases, by name."""
    first = details["phases"][0]
    is_probe = first["name"] == "linear probe"
    levels = {
        "linear probe": first if is_probe else details.get("linear_probe"),
        "baseline": details.get("baseline"),
    }
    levels = {name: part for name, part in levels.items() if part}
    # On the images on which the last phase was measured.
    split = known_split([details["phases"][-1], *levels.values()], figure)
    if split is None:
        return {}
    return {
        f"{name}, {split}": part[split][figure] for name, part in levels.items()
    }


def _comparison(details):
    parts, figure = _parts(details), compared_figure(details)
    split = known_split(parts.values(), figure)
    if split is None or len(parts) < 2:
        return None
    results = {name: part[split][figure] for name, part in parts.items()}
    title = f"{split} {figure_in_words(details)}"
    return plots.comparison(results, title=title)


def _waterfall(details):
    steps, figure = details.get("waterfall") or [], compared_figure(details)
    split = known_split(steps, figure)
    if split is None or len(steps) < 2:
        return None
    results = {step["name"]: step[split][figure] for step in steps}
    return waterfall(results, measured=figure_in_words(details))


def _curves(histories, metrics):
    chosen = {
        name: history
        for name, history in histories.items()
        if any(metric in history for metric in metrics)
    }
    return plots.learning_curves(chosen, metrics) if metrics else None


def _reliability(details):
    found = (details.get("examined") or {}).get("calibration")
    if not found:
        return None
    bins = []
    for each in found["bins"]:
        num_right, num_images = each["num_right"], each["num_images"]
        accuracy = interval = None
        if num_images:
            accuracy = num_right / num_images
            interval = wilson_interval(num_right, num_images)
        bins.append({**each, "accuracy": accuracy, "interval": interval})
    kind = "decisions" if has_several_labels(details) else "images"
    return reliability(bins, found["expected_calibration_error"], kind)


def _confusion_matrix(details):
    examined = details.get("examined")
    if not examined or has_several_labels(details):
        return None
    return plots.confusion_matrix(
        examined["confusion"], details["data"].get("class_names")
    )


def _mistakes(details, images):
    if images is None or not len(images):
        return None
    mistakes = details["examined"]["mistakes"]
    data = details["data"]
    names = answer_names(details)
    num_classes = data["num_classes"]
    if has_several_labels(details):
        num_classes = len(names)
    scores = np.zeros((len(images), num_classes))
    for row, mistake in zip(scores, mistakes, strict=True):
        row[mistake["predicted"]] = mistake["confidence"]
    return plots.predictions(
        images,
        [mistake["true"] for mistake in mistakes],
        scores,
        names,
        value_range=data["value_range"],
    )
