"""The curves of a report as the script of its page draws them."""

from keras_fewlabels.evaluation.verdicts import wilson_interval
from keras_fewlabels.foundation import printable
from keras_fewlabels.loops.report.figures import (
    PSEUDO_LABEL_METRICS,
    TRAINING_METRICS,
    metric_histories,
    metrics_of,
    results_over_time,
)
from keras_fewlabels.loops.report.words.compared import figure_in_words
from keras_fewlabels.loops.report.words.several_labels import has_several_labels
from keras_fewlabels.loops.report.words.text import duration, percent

# The last of eight colours.
_GREY = 7


def report_charts(details):
    """Returns the curves that a report has data for, with all their values.

    Args:
        details: Dict, see `FitReport`.

    Returns:
        List of dicts that JSON can hold: `picture`, the name in
        `report_figures` of the plot that shows the same; `title`; `x`, the
        name of the x axis; `stops`, pairs of a number on the x axis
        and its name; `series`, dicts of `name`, `color` (a number), `dashed`
        and `values`, with `[y, text]`, `[y, text, low, high]` or `None` for
        each stop; and `steps`, whether values stay until the next stop.

    Example:

    >>> from keras_fewlabels.loops.report.page.charts import report_charts
    >>> phase = {"name": "supervised", "history": {"loss": [1.2, 0.8]}}
    >>> (chart,) = report_charts({"phases": [phase]})
    >>> chart["stops"], chart["series"][0]["values"]
    ([[1, 'epoch 1'], [2, 'epoch 2']], [[1.2, '1.2'], [0.8, '0.8']])
    """
    return [
        *_over_time(details),
        *_curves(details, "learning_curves", TRAINING_METRICS),
        *_curves(details, "pseudo_labels", PSEUDO_LABEL_METRICS),
        *_reliability(details),
    ]


def _over_time(details):
    found = results_over_time(details)
    if found is None:
        return
    names, seconds, measures, levels = found
    series = [
        _series(
            printable(name),
            color,
            [
                point
                and [
                    *(100 * point[0], _with_interval(point)),
                    *(100 * bound for bound in point[1:]),
                ]
                for point in points
            ],
        )
        for color, (name, points) in enumerate(measures.items())
    ]
    series += [
        _series(
            printable(name),
            _GREY - number,
            [[100 * level, percent(level)]] * len(names),
            dashed=True,
        )
        for number, (name, level) in enumerate(levels.items())
    ]
    yield {
        "picture": "accuracy_over_time",
        "title": f"{figure_in_words(details).capitalize()} in % after each "
        "phase",
        "x": "seconds since the start",
        "stops": [
            [time, f"{printable(name)}, after {duration(time)}"]
            for name, time in zip(names, seconds, strict=True)
        ],
        "series": series,
        "steps": True,
    }


def _curves(details, picture, metrics):
    histories = metric_histories(details)
    for metric in metrics_of(histories, metrics):
        series = [
            _series(
                printable(f"{part}, {kind}" if kind else part),
                color,
                [[y, f"{y:.4g}"] if _is_number(y) else None for y in values],
                dashed=kind == "validation",
            )
            for color, (part, history) in enumerate(histories.items())
            for kind, values in (
                ("", history.get(metric)),
                ("validation", history.get(f"val_{metric}")),
            )
            if values
        ]
        count = max((len(each["values"]) for each in series), default=0)
        for each in series:
            each["values"] += [None] * (count - len(each["values"]))
        yield {
            "picture": picture,
            "title": metric.replace("_", " "),
            "x": "epoch",
            "stops": [[n, f"epoch {n}"] for n in range(1, count + 1)],
            "series": series,
            "steps": False,
        }


def _reliability(details):
    found = (details.get("examined") or {}).get("calibration")
    bins = [
        each for each in (found or {}).get("bins", ()) if each["num_images"]
    ]
    if len(bins) < 2:
        return
    kind = "decisions" if has_several_labels(details) else "images"
    values = []
    for each in bins:
        low, high = wilson_interval(each["num_right"], each["num_images"])
        share = each["num_right"] / each["num_images"]
        text = f"{_with_interval((share, low, high))} of "
        text += f"{each['num_images']:,} {kind}"
        values.append([100 * share, text, 100 * low, 100 * high])
    stops = [100 * each["confidence"] for each in bins]
    yield {
        "picture": "reliability",
        "title": "Share in % that is right, by confidence",
        "x": "confidence in %",
        "stops": [[x, f"mean confidence {x:.1f} %"] for x in stops],
        "series": [
            _series("right", 0, values),
            _series(
                "if calibrated",
                _GREY,
                [[x, f"{x:.1f} %"] for x in stops],
                dashed=True,
            ),
        ],
        "steps": False,
    }


def _series(name, color, values, dashed=False):
    return {"name": name, "color": color, "dashed": dashed, "values": values}


def _with_interval(point):
    share, *interval = point
    if not interval:
        return percent(share)
    low, high = interval
    return f"{percent(share)} ({100 * low:.0f}-{100 * high:.0f})"


def _is_number(value):
    # NaN and infinity are `None` in a report, and JSON knows neither.
    return value is not None and abs(value) < float("inf")
