import itertools
import math

import numpy as np

from keras_fewlabels.plots.figure import PLAIN, new_figure, shown_name

# Names that can be read beside one another, and the share of the width that
# each of them takes.
_MAX_NAMES = 12
_NAME_WIDTH = 0.07


def accuracy_over_time(
    names, seconds, measures, levels=None, measured="accuracy"
):
    """Draws the accuracy after each phase against the time it was there.

    Each measure has a line, with a point per phase and the interval of each
    point. Points are joined in steps, since the model of a phase is there
    until that of the next. Levels are horizontal lines.

    Args:
        names: Sequence of the names of the phases.
        seconds: Sequence of floats, the seconds from the start of the run to
            the end of each phase, in increasing order.
        measures: Dict of names, such as `"test"`, to a sequence with a triple
            of floats in 0 to 1 per phase, the accuracy and the ends of its
            interval; or `None` where a phase was not measured. Without
            intervals, tuples of one float.
        levels: Optional dict of names to floats in 0 to 1.
        measured: String, the name of what was measured, for the axis.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("time.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.plots.results.accuracy_over_time import (
    ...     accuracy_over_time,
    ... )
    >>> figure = accuracy_over_time(
    ...     ["linear probe", "fine-tuning"],
    ...     [12.5, 60],
    ...     {"test": [(0.7, 0.65, 0.75), (0.8, 0.75, 0.84)]},
    ... )
    >>> figure.axes[0].get_xlabel()
    'seconds since the start'
    """
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    times, unit = _in_units(np.asarray(seconds, float))
    for number, (label, points) in enumerate(measures.items()):
        _draw_measure(axes, times, label, points, f"C{number}")
    for number, (label, level) in enumerate((levels or {}).items()):
        style = ("--", ":", "-.")[number % 3]
        axes.axhline(100 * level, color="0.45", linestyle=style,
                     linewidth=1.2, label=label)  # fmt: skip
    axes.set_xlim(0, 1.04 * times[-1])
    _limit_accuracy(axes, measures, levels or {})
    axes.set(xlabel=f"{unit} since the start", ylabel=f"{measured} in %")
    _write_names(axes, names, times)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    handles, _ = axes.get_legend_handles_labels()
    # Matplotlib puts lines before points with intervals.
    handles.sort(key=lambda handle: handle.get_label() in (levels or {}))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize="small",
    )
    return figure


def _in_units(seconds):
    if seconds[-1] < 300:
        return seconds, "seconds"
    if seconds[-1] < 3 * 3600:
        return seconds / 60, "minutes"
    return seconds / 3600, "hours"


def _draw_measure(axes, times, label, points, color):
    known = [number for number, point in enumerate(points) if point is not None]
    values, *ends = 100 * np.array([points[number] for number in known]).T
    lengths = None
    if ends:
        # Rounding may put a bound on the wrong side of the value.
        lengths = np.maximum([values - ends[0], ends[1] - values], 0)
    axes.errorbar(
        times[known],
        values,
        yerr=lengths,
        fmt="o-",
        color=color,
        drawstyle="steps-post",
        elinewidth=1,
        capsize=3,
        label=label,
    )


def _limit_accuracy(axes, measures, levels):
    ends = [point for points in measures.values() for point in points
            if point is not None]  # fmt: skip
    shown = [*itertools.chain(*ends), *levels.values()]
    low, high = 100 * min(shown), 100 * max(shown)
    room = max(0.05 * (high - low), 0.5)
    axes.set_ylim(max(0, low - room), min(100.5, high + room))


def _write_names(axes, names, times):
    """Writes names above the axes, joined to the times of their phases."""
    step = math.ceil(len(names) / _MAX_NAMES)
    # From the last one backwards, which tells the result.
    shown = range(len(names) - 1, -1, -step)[::-1]
    ends = times[list(shown)] / axes.get_xlim()[1]
    for number, end, place in zip(shown, ends, _spread(ends), strict=True):
        axes.annotate(
            shown_name(names[number], 24),
            (end, 1),
            xytext=(place, 1.06),
            xycoords="axes fraction",
            textcoords="axes fraction",
            rotation=35,
            rotation_mode="anchor",
            fontsize="small",
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.8},
            **PLAIN,
        )
        axes.axvline(times[number], color="0.88", linewidth=0.8, zorder=0)


def _spread(places):
    """Returns increasing places moved apart, so that names can be read."""
    spread = np.array(places)
    for number in range(1, len(spread)):
        spread[number] = max(spread[number], spread[number - 1] + _NAME_WIDTH)
    # The last ones may have left the axes.
    spread[-1] = min(spread[-1], 1)
    for number in range(len(spread) - 2, -1, -1):
        spread[number] = min(spread[number], spread[number + 1] - _NAME_WIDTH)
    return spread
