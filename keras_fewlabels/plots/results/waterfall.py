import itertools

import numpy as np

from keras_fewlabels.plots.accuracy_arrays import accuracy_arrays
from keras_fewlabels.plots.figure import (
    OUTLINE,
    RIGHT,
    WRONG,
    label_places,
    new_figure,
)


def waterfall(steps, measured="accuracy"):
    """Draws how much each step of a method adds to the accuracy.

    The first accuracy is a dot. Every other step is a bar from the accuracy
    before it to its own, blue to the right for a gain and red to the left for
    a loss. Beside the bar are the change in points and the accuracy. The axis
    shows only the range of the accuracies, so that bars can be compared with
    one another but not with the whole accuracy.

    Args:
        steps: Dict of two or more names to a float in 0 to 1, the accuracy
            with this and all earlier steps. They are drawn from the top.
        measured: String, the name of what was measured, for the axis.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("steps.png")` writes it;
        pyplot does not manage it, and nothing is shown.

    Raises:
        ValueError: If there are fewer than two steps, or a value is other
            than a number from 0 to 1.
        ImportError: If matplotlib is not installed.

    Example:

    >>> from keras_fewlabels.plots.results.waterfall import waterfall
    >>> figure = waterfall(
    ...     {"labels only": 0.5, "+ augmentation": 0.625, "+ noise": 0.6}
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['50.0 %', '+12.5 (62.5 %)', '-2.5 (60.0 %)']
    """
    percent = _percent(steps)
    figure = new_figure(5.2, 0.9 + 0.4 * len(percent))
    axes = figure.subplots()
    axes.plot(percent[0], 0, "o", color=OUTLINE)
    _write(axes, 0, percent[0], f"{percent[0]:.1f} %")
    for row, (before, after) in enumerate(itertools.pairwise(percent), 1):
        _draw_step(axes, row, before, after)
    label_places(axes.yaxis, steps, wrap=24)
    axes.set_ylim(len(steps) - 0.4, -0.6)
    # At least one point, with room for the numbers at the right.
    span = max(np.ptp(percent), 1)
    low, high = percent.min() - 0.1 * span, percent.max() + 0.75 * span
    axes.set_xlim(low, high)
    ticks = axes.get_xticks()
    # No accuracy is above 100 %, and ticks beyond the limits widen them.
    axes.set_xticks(ticks[(ticks >= low) & (ticks <= min(100, high))])
    axes.set_xlabel(f"{measured} in %")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    return figure


def _percent(steps):
    arrays = accuracy_arrays("steps", steps)
    sizes = {name: array.size for name, array in arrays.items()}
    if len(sizes) < 2 or max(sizes.values()) > 1:
        raise ValueError(
            "`steps` must hold two or more steps, with one accuracy each. "
            "`plots.comparison` draws one step, or several seeds. "
            f"Received: steps={steps!r}"
        )
    return 100 * np.concatenate(list(arrays.values()))


def _draw_step(axes, row, before, after):
    color = RIGHT if after >= before else WRONG
    axes.barh(row, after - before, height=0.62, left=before, color=color)
    # Connects the bar with the end of the step before.
    axes.vlines(before, row - 0.69, row + 0.31, color="0.6", linewidth=1)
    # Rounded first, so that a tiny loss is written +0.0, not -0.0.
    change = round(after - before, 1) + 0.0
    text = f"{change:+.1f} ({after:.1f} %)"
    _write(axes, row, max(before, after), text)


def _write(axes, row, position, text):
    axes.annotate(
        text,
        (position, row),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
    )
