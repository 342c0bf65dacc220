import itertools
import textwrap

import numpy as np

from keras_fewlabels.plots.accuracy_arrays import accuracy_arrays
from keras_fewlabels.plots.figure import new_figure
from keras_fewlabels.plots.predictions import RIGHT, WRONG

OUTLINE = "0.2"


def waterfall(steps):
    """Draws what each step of a way to train adds to the accuracy.

    The first accuracy is a dot, every other step a bar from the accuracy
    before it to its own: blue to the right for a gain, red to the left for a
    loss. Beside it stand the change in points and what it comes to. The axis
    shows only the range where something happens; lengths of bars can be
    compared with one another, not with the whole.

    Args:
        steps: Dict of names to a float in 0 to 1, the accuracy with this and
            all earlier steps, at least two. They are drawn from the top.

    Returns:
        A `matplotlib.figure.Figure`. `figure.savefig("steps.png")` writes it;
        pyplot does not know it, and nothing is shown.

    Raises:
        ValueError: If there are less than two steps, a value is not one
            number, or accuracies are not fractions.
        ImportError: If matplotlib is not installed.

    Example:

    >>> figure = keras_fewlabels.plots.waterfall(
    ...     {"labels only": 0.5, "+ augmentation": 0.625, "+ noise": 0.6}
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['50.0 %', '+12.5 (62.5 %)', '-2.5 (60.0 %)']
    """
    percent = _percent(steps)
    # In inches; every bar has a line of its own.
    figure = new_figure(5.2, 0.9 + 0.4 * len(percent))
    axes = figure.subplots()
    axes.plot(percent[0], 0, "o", color=OUTLINE)
    _write(axes, 0, percent[0], f"{percent[0]:.1f} %")
    for row, (before, after) in enumerate(itertools.pairwise(percent), 1):
        _draw_step(axes, row, before, after)
    names = [textwrap.fill(str(name), 24) for name in steps]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    # A point at least, and room at the right for the numbers.
    span = max(np.ptp(percent), 1)
    low, high = percent.min() - 0.1 * span, percent.max() + 0.75 * span
    axes.set_xlim(low, high)
    ticks = axes.get_xticks()
    # No accuracy is above 100 %, and ticks beyond the limits widen these.
    axes.set_xticks(ticks[(ticks >= low) & (ticks <= min(100, high))])
    axes.set_xlabel("accuracy in %")
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
            "`plots.comparison` draws one, and those of several seeds. "
            f"Received: steps={steps!r}"
        )
    return 100 * np.concatenate(list(arrays.values()))


def _draw_step(axes, row, before, after):
    color = RIGHT if after >= before else WRONG
    axes.barh(row, after - before, height=0.62, left=before, color=color)
    # Leads the eye down from where the step before ended.
    axes.vlines(before, row - 0.69, row + 0.31, color="0.6", linewidth=1)
    # Rounded first, for a tiny loss is written +0.0, not -0.0.
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
