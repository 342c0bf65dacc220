"""The plots of a `FitReport`."""

import numpy as np

from keras_fewlabels import plots
from keras_fewlabels.loops.report.text import known_split, phase_name
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
        Dict of `"comparison"`, `"waterfall"`, `"learning_curves"`,
        `"pseudo_labels"`, `"confusion_matrix"` and `"mistakes"` to a
        `matplotlib.figure.Figure`, or to `None` if the data of that plot is
        missing.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.loops.report.figures import report_figures
    >>> phase = {"name": "supervised", "history": {"loss": [1.2, 0.8]}}
    >>> figures = report_figures({"phases": [phase]})
    >>> [name for name, figure in figures.items() if figure]
    ['learning_curves']
    """
    parts = {phase_name(phase): phase for phase in details["phases"]}
    if details.get("baseline"):
        parts["baseline"] = details["baseline"]
    if details.get("linear_probe"):
        parts["linear probe"] = details["linear_probe"]
    histories = {name: _history(part) for name, part in parts.items()}
    known = dict.fromkeys(name for each in histories.values() for name in each)
    # Keras validates every metric, but models log other numbers as well.
    shown = [name for name in known if f"val_{name}" in known]
    return {
        "comparison": _comparison(parts),
        "waterfall": _waterfall(details.get("waterfall") or []),
        "learning_curves": _curves(histories, shown or TRAINING_METRICS),
        "pseudo_labels": _curves(histories, PSEUDO_LABEL_METRICS),
        "confusion_matrix": _confusion_matrix(details),
        "mistakes": _mistakes(details, mistakes),
    }


def _history(part):
    history = part.get("history") or {}
    return {name: values for name, values in history.items() if values}


def _comparison(parts):
    split = known_split(parts.values())
    if split is None or len(parts) < 2:
        return None
    accuracies = {name: part[split]["accuracy"] for name, part in parts.items()}
    return plots.comparison(accuracies, title=f"{split} accuracy")


def _waterfall(steps):
    split = known_split(steps)
    if split is None or len(steps) < 2:
        return None
    return waterfall({step["name"]: step[split]["accuracy"] for step in steps})


def _curves(histories, metrics):
    chosen = {
        name: history
        for name, history in histories.items()
        if any(metric in history for metric in metrics)
    }
    drawn = [
        metric
        for metric in metrics
        if any(metric in history for history in chosen.values())
    ]
    return plots.learning_curves(chosen, drawn) if drawn else None


def _confusion_matrix(details):
    examined = details.get("examined")
    if not examined:
        return None
    return plots.confusion_matrix(
        examined["confusion"], details["data"].get("class_names")
    )


def _mistakes(details, images):
    if images is None or not len(images):
        return None
    mistakes = details["examined"]["mistakes"]
    data = details["data"]
    scores = np.zeros((len(images), data["num_classes"]))
    for row, mistake in zip(scores, mistakes, strict=True):
        row[mistake["predicted"]] = mistake["confidence"]
    return plots.predictions(
        images,
        [mistake["true"] for mistake in mistakes],
        scores,
        data.get("class_names"),
        value_range=data["value_range"],
    )
